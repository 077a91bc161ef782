"""Write down what happened to bookings: one row per move, never changed after."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import BookingStatus
from o2o.infra.database import Tx


class BookingStep(msgspec.Struct, frozen=True, kw_only=True):
    """One move of one booking, and who made it."""

    booking_id: UUID
    move: str
    from_status: BookingStatus | None
    to_status: BookingStatus
    starts_at: datetime
    request_id: UUID | None = None
    body_hash: bytes | None = None
    staff_id: UUID | None = None
    pad_id: UUID | None = None
    api_key_id: UUID | None = None
    reason: str | None = None
    at: datetime


_TYPES = {
    "booking_id": "uuid",
    "move": "text",
    "from_status": "text",
    "to_status": "text",
    "starts_at": "timestamptz",
    "request_id": "uuid",
    "body_hash": "bytea",
    "staff_id": "uuid",
    "pad_id": "uuid",
    "api_key_id": "uuid",
    "reason": "text",
    "at": "timestamptz",
}
_INSERT = text(
    f"INSERT INTO booking_moves ({', '.join(_TYPES)}) SELECT * FROM unnest("  # noqa: S608 - names of ours
    + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _TYPES.items())
    + ")"
)


async def record_booking_moves(tx: Tx, steps: Sequence[BookingStep]) -> None:
    """Write moves in one statement."""
    if not steps:
        return
    columns: dict[str, list[Any]] = {
        name: [getattr(step, name) for step in steps] for name in _TYPES
    }
    columns["from_status"] = [
        None if step.from_status is None else step.from_status.value for step in steps
    ]
    columns["to_status"] = [step.to_status.value for step in steps]
    await tx.execute(_INSERT, columns)
