"""The report of what stores owe card holders: opening, movements by cause and closing, in fen."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from o2o.crm.statuses import LotKind, TransferKind
from o2o.ledger.queries.liability import LiabilityMovement


class Cause(StrEnum):
    """Why what is owed changed, as finance asks."""

    TOPPED_UP = "topped_up"
    SPENT = "spent"
    REFUNDED = "refunded"
    OTHER = "other"


# What was taken back counts against what it takes back.
_CAUSES = {
    TransferKind.TOP_UP: Cause.TOPPED_UP,
    TransferKind.TOP_UP_BONUS: Cause.TOPPED_UP,
    TransferKind.TOP_UP_REVERSED: Cause.TOPPED_UP,
    TransferKind.TOP_UP_BONUS_REVERSED: Cause.TOPPED_UP,
    TransferKind.DEBIT: Cause.SPENT,
    TransferKind.HOLD_POSTED: Cause.SPENT,
    TransferKind.DEBIT_REVERSED: Cause.SPENT,
    TransferKind.REFUND: Cause.REFUNDED,
    TransferKind.BONUS_FORFEITED: Cause.REFUNDED,
}


class Owed(msgspec.Struct, frozen=True):
    """An amount in its two parts."""

    principal_fen: int = 0
    bonus_fen: int = 0

    @property
    def total_fen(self) -> int:
        """Return both parts together."""
        return self.principal_fen + self.bonus_fen

    def __add__(self, other: "Owed") -> "Owed":
        """Add part by part."""
        return Owed(self.principal_fen + other.principal_fen, self.bonus_fen + other.bonus_fen)


class LiabilityRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of days of one store, or of several together. Closing = opening + movements."""

    opening: Owed
    topped_up: Owed
    spent: Owed
    refunded: Owed
    other: Owed

    @property
    def closing(self) -> Owed:
        """Return what is owed at the end."""
        return self.opening + self.topped_up + self.spent + self.refunded + self.other


def row_of(movements: Iterable[LiabilityMovement], *, opening: Owed = Owed()) -> LiabilityRow:  # noqa: B008 - frozen
    """Sum movements up; those before the report (no day) go to the opening."""
    sums = {cause.value: Owed() for cause in Cause}
    for one in movements:
        if one.kind is None:
            opening += _owed(one)
        else:
            cause = _CAUSES.get(one.kind, Cause.OTHER).value
            sums[cause] += _owed(one)
    return LiabilityRow(opening=opening, **sums)


def rows_by_owner(movements: Iterable[LiabilityMovement]) -> dict[UUID, LiabilityRow]:
    """Return one row for each store (or the brand) that anything is owed by."""
    return {owner_id: row_of(group) for owner_id, group in _grouped(movements).items()}


def rows_by_day(
    movements: Sequence[LiabilityMovement], *, from_day: date, until_day: date
) -> list[tuple[date, LiabilityRow]]:
    """Return one row for each day of the report, all stores together, oldest first."""
    by_day: dict[date | None, list[LiabilityMovement]] = {}
    for one in movements:
        by_day.setdefault(one.day, []).append(one)
    opening = row_of(by_day.get(None, ())).closing
    rows = []
    for offset in range((until_day - from_day).days):
        day = from_day + timedelta(days=offset)
        row = row_of(by_day.get(day, ()), opening=opening)
        rows.append((day, row))
        opening = row.closing
    return rows


def rows_by_owner_and_day(
    movements: Iterable[LiabilityMovement], *, from_day: date, until_day: date
) -> list[tuple[UUID, date, LiabilityRow]]:
    """Return one row for each day of each store that anything is owed by."""
    return [
        (owner_id, day, row)
        for owner_id, group in _grouped(movements).items()
        for day, row in rows_by_day(group, from_day=from_day, until_day=until_day)
    ]


def _grouped(movements: Iterable[LiabilityMovement]) -> dict[UUID, list[LiabilityMovement]]:
    groups: dict[UUID, list[LiabilityMovement]] = {}
    for one in movements:
        groups.setdefault(one.owner_id, []).append(one)
    return groups


def _owed(one: LiabilityMovement) -> Owed:
    if one.lot_kind is LotKind.BONUS:
        return Owed(0, one.amount_fen)
    return Owed(one.amount_fen, 0)
