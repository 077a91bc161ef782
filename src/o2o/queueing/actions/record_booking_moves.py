"""Write down what happened to bookings: one row per move, never changed after. A named intention
that made a move is known by it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers, body_hash
from o2o.queueing.booking_commands import ChangeBooking


class BookingStep(msgspec.Struct, frozen=True, kw_only=True):
    """One move of one booking, and who made it."""

    booking_id: UUID
    move: str
    from_status: BookingStatus | None
    to_status: BookingStatus
    starts_at: datetime
    request_id: UUID | None = None
    # What was asked for beside the move itself, as `intention_hash` takes it.
    wanted: tuple[Any, ...] = ()
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

_BY_REQUEST = text(
    "SELECT request_id, body_hash FROM booking_moves WHERE request_id = ANY(CAST(:ids AS uuid[]))"
)


async def record_booking_moves(tx: Tx, steps: Sequence[BookingStep]) -> None:
    """Write moves in one statement."""
    if not steps:
        return
    columns: dict[str, list[Any]] = {
        name: [getattr(step, name, None) for step in steps] for name in _TYPES
    }
    columns["from_status"] = [
        None if step.from_status is None else step.from_status.value for step in steps
    ]
    columns["body_hash"] = [
        None
        if step.request_id is None
        else intention_hash(step.move, step.booking_id, *step.wanted)
        for step in steps
    ]
    columns["to_status"] = [step.to_status.value for step in steps]
    await tx.execute(_INSERT, columns)


def intention_hash(move: str, booking_id: UUID, *wanted: Any) -> bytes:
    """Return what tells an intention from others: the move, the booking, what else is wanted."""
    return body_hash(f"booking.{move}", booking_id, *wanted)


async def find_intention(tx: Tx, request_id: UUID | None) -> bytes | None:
    """Return the hash of the intention of that name that made a move already."""
    if request_id is None:
        return None
    row = (await tx.execute(_BY_REQUEST, {"ids": [request_id]})).first()
    return bytes(row.body_hash) if row is not None else None


async def other_intentions(
    tx: Tx, commands: Sequence[ChangeBooking], *, move: str
) -> dict[UUID, RequestBodyDiffers]:
    """Return a refusal for each request id that made another move before, or moved another booking.

    One that made this very move is not among them: the booking says what became of it.
    """
    wanted = {
        command.request_id: intention_hash(move, command.booking_id)
        for command in commands
        if command.request_id is not None
    }
    if not wanted:
        return {}
    rows = await tx.execute(_BY_REQUEST, {"ids": list(wanted)})
    return {
        row.request_id: RequestBodyDiffers(request_id=str(row.request_id))
        for row in rows
        if bytes(row.body_hash) != wanted[row.request_id]
    }
