"""Text messages by Tencent Cloud SMS: API 3.0, action SendSms of version 2021-01-11."""

from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from o2o.infra.settings import Settings
from o2o.infra.subscriptions import Later, Never
from o2o.kernel.clock import Clock
from o2o.notifications.sms.port import CodeMessage
from o2o.notifications.sms.signing import CONTENT_TYPE, authorization

ACTION = "SendSms"
VERSION = "2021-01-11"
SERVICE = "sms"
OK = "Ok"
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
# What the other side says of itself or of too much at once; all else is about us or the phone.
_PASSING = ("InternalError", "RequestLimitExceeded", "ServiceUnavailable", "FailedOperation.Temp")
_PAUSES = {"LimitExceeded.PhoneNumberThirtySecondLimit": 30.0}


class TencentSMS:
    """Sends with the application, signature and template that the settings name."""

    def __init__(
        self, settings: Settings, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Connect when the first message goes."""
        self._settings = settings
        self._clock = clock
        self._host = urlsplit(settings.sms_url).netloc
        self._client = httpx.AsyncClient(
            base_url=settings.sms_url,
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Let connections go."""
        await self._client.aclose()

    async def send(self, message: CodeMessage) -> None:
        """Hand a message over. Raises Later, Never."""
        body = msgspec.json.encode(
            {
                "PhoneNumberSet": [f"+86{message.phone}"],
                "SmsSdkAppId": self._settings.sms_app_id,
                "SignName": self._settings.sms_sign_name,
                "TemplateId": self._settings.sms_template_id,
                "TemplateParamSet": [message.code, str(message.minutes)],
                "SessionContext": message.message_id,
            }
        )
        try:
            response = await self._client.post("/", content=body, headers=self._headers(body))
        except httpx.HTTPError as error:
            raise Later(type(error).__name__) from error
        if response.status_code != httpx.codes.OK:
            raise Later(f"HTTP {response.status_code}")
        _check(response.content)

    def _headers(self, body: bytes) -> dict[str, str]:
        at = int(self._clock.now().timestamp())
        return {
            "Authorization": authorization(
                secret_id=self._settings.sms_secret_id,
                secret_key=self._settings.sms_secret_key,
                service=SERVICE,
                host=self._host,
                action=ACTION,
                body=body,
                at=at,
            ),
            "Content-Type": CONTENT_TYPE,
            "Host": self._host,
            "X-TC-Action": ACTION,
            "X-TC-Version": VERSION,
            "X-TC-Timestamp": str(at),
            "X-TC-Region": self._settings.sms_region,
        }


def _check(content: bytes) -> None:
    """Raise Later or Never unless the answer says that the one message was taken."""
    code = _outcome(content)
    if code == OK:
        return
    if code in _PAUSES:
        raise Later(code, after_seconds=_PAUSES[code])
    if code.startswith(_PASSING):
        raise Later(code)
    raise Never(code)


def _outcome(content: bytes) -> str:
    """Return the code of the refused request or of the one message. Raises Later when unreadable.

    Never the text beside it, which may quote the phone.
    """
    try:
        answer: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])["Response"]
        if "Error" in answer:
            return str(answer["Error"]["Code"])
        [status] = answer["SendStatusSet"]
        return str(status["Code"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        msg = "an answer that cannot be read"
        raise Later(msg) from error
