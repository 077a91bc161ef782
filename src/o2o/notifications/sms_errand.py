"""The errand `sms.send`: opens what was sealed for it and hands it to the provider."""

from typing import Any

from o2o.infra.logging import get_logger
from o2o.infra.metrics import SMS_SENT
from o2o.infra.seal import Seal, SealBroken
from o2o.infra.subscriptions import Later, Never
from o2o.kernel.clock import Clock
from o2o.kernel.text import mask_phone
from o2o.notifications.actions.queue_code import open_code
from o2o.notifications.sms.port import SMSSender

log = get_logger(__name__)


class SMSErrands:
    """Performs `sms.send` outside any transaction."""

    def __init__(self, sender: SMSSender | None, *, seal: Seal, clock: Clock) -> None:
        """Send by `sender`; without one nothing leaves."""
        self._sender = sender
        self._seal = seal
        self._clock = clock

    async def perform(self, payload: dict[str, Any]) -> None:
        """Send a code while it is worth something. Raises Later, Never.

        The log names the phone masked and never the digits. What is over is dropped: a code that
        arrives when it is dead only confuses.
        """
        try:
            queued = open_code(payload, seal=self._seal)
        except SealBroken as error:
            msg = "sealed under another key"
            raise Never(msg) from error
        shown = mask_phone(queued.message.phone)
        if self._clock.now() >= queued.expires_at:
            log.warning("sms.over", phone=shown, message_id=queued.message.message_id)
            SMS_SENT.labels("over").inc()
            return
        if self._sender is None:
            msg = "no provider is set up"
            raise Never(msg)
        try:
            await self._sender.send(queued.message)
        except (Later, Never) as error:
            SMS_SENT.labels("later" if isinstance(error, Later) else "never").inc()
            raise
        SMS_SENT.labels("sent").inc()
        log.info("sms.sent", phone=shown, message_id=queued.message.message_id)
