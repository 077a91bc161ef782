"""Queue a text message with a code: sealed in the outbox, gone from it once sent."""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.infra.outbox import Errand, send
from o2o.infra.seal import Seal
from o2o.notifications.sms.port import CodeMessage

TOPIC = "sms.send"
SEAL_LABEL = "sms"
SECONDS_PER_MINUTE = 60


class QueuedCode(msgspec.Struct, frozen=True):
    """A message and until when it is worth sending."""

    message: CodeMessage
    expires_at: datetime


async def queue_code(
    tx: Tx,
    *,
    seal: Seal,
    message_id: UUID,
    phone: str,
    code: str,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Let the relay send `code`. Phone and digits are sealed: who reads the outbox sees neither."""
    queued = QueuedCode(
        CodeMessage(
            phone=phone,
            code=code,
            minutes=int((expires_at - now).total_seconds()) // SECONDS_PER_MINUTE,
            message_id=str(message_id),
        ),
        expires_at,
    )
    sealed = seal.seal(msgspec.json.encode(queued).decode(), label=SEAL_LABEL)
    errand = Errand(
        topic=TOPIC,
        payload={"message_id": str(message_id), "sealed": b64encode(sealed).decode()},
        dedupe_key=f"{TOPIC}:{message_id}",
    )
    await send(tx, [errand], now=now)


def open_code(payload: dict[str, Any], *, seal: Seal) -> QueuedCode:
    """Open what `queue_code` sealed. Raises SealBroken."""
    opened = seal.unseal(b64decode(payload["sealed"]), label=SEAL_LABEL)
    return msgspec.json.decode(opened, type=QueuedCode)
