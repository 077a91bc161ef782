"""Text messages for the demo: into the inboxes of the sandbox's phones."""

import httpx

from o2o.infra.settings import Settings
from o2o.infra.subscriptions import Later, Never
from o2o.notifications.sms.port import CodeMessage
from o2o.web.copy import Words

TOTAL_SECONDS = 5.0


class SandboxSMS:
    """Posts to the sandbox; a phone that nobody there has is taken and lost, as in life."""

    def __init__(
        self, settings: Settings, *, words: Words, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Connect when the first message goes."""
        self._words = words
        self._sender = settings.sms_sign_name
        self._client = httpx.AsyncClient(
            base_url=settings.sms_url,
            timeout=TOTAL_SECONDS,
            trust_env=False,
            transport=transport,
            headers={"X-Sandbox-Token": settings.sms_secret_key} if settings.sms_secret_key else {},
        )

    async def close(self) -> None:
        """Let connections go."""
        await self._client.aclose()

    async def send(self, message: CodeMessage) -> None:
        """Hand a message over. Raises Later, Never."""
        text = self._words.text("sms.code", code=message.code, minutes=message.minutes)
        asked = {
            "phone": message.phone,
            "sender": self._sender or self._words.text("sms.demo_sender"),
            "text": text,
            "message_id": message.message_id,
        }
        try:
            response = await self._client.post("/_sandbox/sms", json=asked)
        except httpx.HTTPError as error:
            raise Later(type(error).__name__) from error
        if response.is_server_error:
            raise Later(f"HTTP {response.status_code}")
        if response.is_error:
            raise Never(f"HTTP {response.status_code}")
