"""Reads of shifts and days: who has the till, what passed through it, which days are closed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import ShiftStatus, Tender, TransferKind
from o2o.infra.database import Tx
from o2o.membership.errors_counter import ShiftNotFound
from o2o.membership.rules.till_sums import COUNTED_KINDS, TillLine, TillSums

SHIFTS_MAX = 60
# A visit lasts five minutes; what happened in it may be written down a little later.
_LATE = timedelta(minutes=10)


class ShiftView(msgspec.Struct, frozen=True, kw_only=True):
    """A shift with the names of those who held it. Amounts in fen."""

    id: UUID
    store_id: UUID
    pad_id: UUID
    pad_name: str
    business_on: date
    status: ShiftStatus
    opened_at: datetime
    opened_by_name: str
    float_fen: int
    ended_at: datetime | None
    ended_by_name: str | None
    expected_fen: int | None
    counted_fen: int | None
    denominations: dict[str, int] | None
    difference_reason: str | None
    removed_fen: int
    confirmed_at: datetime | None
    confirmed_by_name: str | None

    @property
    def difference_fen(self) -> int:
        """What was counted beyond what the books say; negative where cash is missing."""
        return (self.counted_fen or 0) - (self.expected_fen or 0)

    @property
    def left_fen(self) -> int:
        """What stayed in the drawer."""
        return (self.counted_fen or 0) - self.removed_fen


_SHIFTS = (
    "SELECT s.id, s.store_id, s.pad_id, p.name AS pad_name, s.business_on, s.status, s.opened_at,"
    " o.name AS opened_by_name, s.float_fen, s.ended_at, e.name AS ended_by_name, s.expected_fen,"
    " s.counted_fen, s.denominations, s.difference_reason, s.removed_fen, s.confirmed_at,"
    " c.name AS confirmed_by_name FROM shifts s JOIN pads p ON p.id = s.pad_id"
    " JOIN staff_members o ON o.id = s.opened_by LEFT JOIN staff_members e ON e.id = s.ended_by"
    " LEFT JOIN staff_members c ON c.id = s.confirmed_by"
)
_LIVE = text(f"{_SHIFTS} WHERE s.pad_id = :pad_id AND s.status <> 'confirmed'")
_ONE = text(f"{_SHIFTS} WHERE s.id = :shift_id AND s.store_id = :store_id")
_OF_DAY = text(
    f"{_SHIFTS} WHERE s.store_id = :store_id AND s.business_on = :business_on"
    " ORDER BY s.opened_at, s.id LIMIT :most"
)
_OF_PAD = text(
    f"{_SHIFTS} WHERE s.pad_id = :pad_id ORDER BY s.opened_at DESC, s.id DESC LIMIT :most"
)
# Everything that passed through a pad and is in no shift yet, whenever it was committed.
UNCOUNTED = (
    "SELECT t.id, t.kind, t.tender, t.amount FROM ("
    " SELECT t.id FROM counter_visits v JOIN ledger_transfers t ON t.visit_id = v.id"
    "  WHERE v.pad_id = :pad_id AND v.opened_at >= :since"
    " UNION SELECT t.id FROM counter_undos u JOIN ledger_transfers t"
    "  ON t.request_id = u.request_id WHERE u.pad_id = :pad_id AND u.undone_at >= :since) f"
    " JOIN ledger_transfers t ON t.id = f.id AND t.kind = ANY(CAST(:kinds AS text[]))"
    " WHERE NOT EXISTS (SELECT 1 FROM shift_movements m WHERE m.transfer_id = t.id)"
)
_GROUPED = "SELECT kind, tender, count(*) AS count, sum(amount)::bigint AS amount"
_SUM_UNCOUNTED = text(f"{_GROUPED} FROM ({UNCOUNTED}) u GROUP BY kind, tender")
_SUM_COUNTED = text(
    f"{_GROUPED} FROM shift_movements m JOIN ledger_transfers t ON t.id = m.transfer_id"
    " WHERE m.shift_id = ANY(CAST(:shift_ids AS uuid[])) GROUP BY kind, tender"
)
_SINCE = text(
    "SELECT min(opened_at) FROM (SELECT opened_at FROM shifts WHERE pad_id = :pad_id"
    " ORDER BY opened_at DESC LIMIT 2) s"
)
_CLOSED = text(
    "SELECT d.closed_at, p.name FROM store_days d JOIN staff_members p ON p.id = d.closed_by"
    " WHERE d.store_id = :store_id AND d.business_on = :business_on"
)


class ClosedDay(msgspec.Struct, frozen=True):
    """When a day was closed, and by whom."""

    closed_at: datetime
    closed_by_name: str


async def find_live_shift(tx: Tx, *, pad_id: UUID) -> ShiftView | None:
    """Return the shift that a pad is in: open, or counted and not confirmed."""
    row = (await tx.execute(_LIVE, {"pad_id": pad_id})).first()
    return _view(row) if row else None


async def get_shift(tx: Tx, shift_id: UUID, *, store_id: UUID) -> ShiftView:
    """Return a shift of a store. Raises ShiftNotFound."""
    row = (await tx.execute(_ONE, {"shift_id": shift_id, "store_id": store_id})).first()
    if row is None:
        raise ShiftNotFound
    return _view(row)


async def list_shifts_of_day(tx: Tx, *, store_id: UUID, business_on: date) -> list[ShiftView]:
    """Return a store's shifts of a business day, in order."""
    asked = {"store_id": store_id, "business_on": business_on, "most": SHIFTS_MAX}
    return [_view(row) for row in await tx.execute(_OF_DAY, asked)]


async def list_shifts_of_pad(tx: Tx, *, pad_id: UUID, limit: int = 10) -> list[ShiftView]:
    """Return a pad's latest shifts, newest first."""
    asked = {"pad_id": pad_id, "most": max(1, min(limit, SHIFTS_MAX))}
    return [_view(row) for row in await tx.execute(_OF_PAD, asked)]


async def uncounted_of(tx: Tx, *, pad_id: UUID, now: datetime) -> dict[str, Any]:
    """Return the parameters of UNCOUNTED: from where on a pad's movements are looked through."""
    since = await tx.scalar(_SINCE, {"pad_id": pad_id})
    return {
        "pad_id": pad_id,
        "since": (since or now) - _LATE,
        "kinds": [kind.value for kind in COUNTED_KINDS],
    }


async def sum_uncounted(tx: Tx, *, pad_id: UUID, now: datetime) -> TillSums:
    """Return what passed through a pad's till since its last count."""
    return _sums(await tx.execute(_SUM_UNCOUNTED, await uncounted_of(tx, pad_id=pad_id, now=now)))


async def sum_counted(tx: Tx, shift_ids: Sequence[UUID]) -> TillSums:
    """Return what was counted in these shifts."""
    return _sums(await tx.execute(_SUM_COUNTED, {"shift_ids": list(shift_ids)}))


async def find_closed_day(tx: Tx, *, store_id: UUID, business_on: date) -> ClosedDay | None:
    """Return whether and by whom a day was closed."""
    asked = {"store_id": store_id, "business_on": business_on}
    row = (await tx.execute(_CLOSED, asked)).first()
    return ClosedDay(*row) if row else None


def _sums(rows: Any) -> TillSums:
    return TillSums(
        tuple(
            TillLine(
                kind=TransferKind(row.kind),
                tender=Tender(row.tender) if row.tender else None,
                count=row.count,
                amount_fen=row.amount,
            )
            for row in rows
        )
    )


def _view(row: Any) -> ShiftView:
    return msgspec.convert(dict(row._mapping), type=ShiftView)  # noqa: SLF001 - its public name
