"""Reads of how well waits were told: by day and by queue, for the store's manager."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, text

from o2o.infra.database import Tx
from o2o.queueing.rules.wait_learning import AT_ONCE_SECONDS

# So many of ten waits should fall inside the range they were told.
TARGET_PERCENT = 80

_TOLD = (
    " FROM (SELECT t.queue_id, t.business_on, t.promise_missed_at,"
    " extract(epoch FROM t.called_at - t.taken_at) AS wait,"
    " t.promised_low_seconds AS low, t.promised_high_seconds AS high,"
    " t.promised_median_seconds AS middle"
    " FROM tickets t WHERE t.store_id = :store_id AND t.business_on BETWEEN :since AND :until"
    " AND t.called_at IS NOT NULL AND t.promised_high_seconds IS NOT NULL) t"
    " WHERE t.wait > :at_once OR t.middle > 0"
)
_SUMS = (
    " count(*) AS told, count(*) FILTER (WHERE t.wait BETWEEN t.low AND t.high) AS inside,"
    " count(*) FILTER (WHERE t.wait < t.low) AS sooner,"
    " count(*) FILTER (WHERE t.wait > t.high) AS later,"
    " coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(t.wait - t.middle)), 0) AS off,"
    " coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.wait), 0) AS usual"
)
_BY_DAY = text(f"SELECT t.business_on,{_SUMS}{_TOLD} GROUP BY 1 ORDER BY 1")
_BY_QUEUE = text(
    f"SELECT s.*, q.code, q.name, q.name_en, m.learnt_at, m.days, m.waits,"  # noqa: S608 - constants
    f" m.learnt IS NOT NULL AS is_learnt FROM queues q"
    f" LEFT JOIN (SELECT t.queue_id,{_SUMS}{_TOLD} GROUP BY 1) s ON s.queue_id = q.id"
    " LEFT JOIN wait_models m ON m.queue_id = q.id"
    " WHERE q.store_id = :store_id ORDER BY q.rank, q.code"
)


class ToldWaits(msgspec.Struct, frozen=True, kw_only=True):
    """How a number of waits compare with the ranges that were told."""

    told: int
    inside: int
    sooner: int
    later: int
    # Median of how far the wait was from the middle of what was told, and of the wait, in seconds.
    off_seconds: int
    usual_seconds: int

    @property
    def percent(self) -> int | None:
        """Share of waits inside their range; None without any."""
        return (100 * self.inside + self.told // 2) // self.told if self.told else None


class ToldDay(ToldWaits, frozen=True, kw_only=True):
    """The waits of a business day."""

    business_on: date


class ToldQueue(ToldWaits, frozen=True, kw_only=True):
    """The waits of a queue, and what has been learnt of it."""

    code: str
    name: str
    name_en: str
    is_learnt: bool
    learnt_at: datetime | None
    days: int
    waits: int


async def list_told_days(tx: Tx, *, store_id: UUID, since: date, until: date) -> Sequence[ToldDay]:
    """Return the days on which anybody was told a wait, oldest first."""
    rows = await tx.execute(_BY_DAY, _values(store_id, since, until))
    return [ToldDay(business_on=row["business_on"], **_sums(row)) for row in rows.mappings()]


async def list_told_queues(
    tx: Tx, *, store_id: UUID, since: date, until: date
) -> Sequence[ToldQueue]:
    """Return all queues of a store in their order, told or not."""
    rows = await tx.execute(_BY_QUEUE, _values(store_id, since, until))
    return [
        ToldQueue(
            code=row["code"],
            name=row["name"],
            name_en=row["name_en"],
            is_learnt=bool(row["is_learnt"]),
            learnt_at=row["learnt_at"],
            days=row["days"] or 0,
            waits=row["waits"] or 0,
            **_sums(row),
        )
        for row in rows.mappings()
    ]


def sum_up(days: Sequence[ToldDay]) -> ToldWaits:
    """Return all days as one; the medians are those of the days, weighted by their waits."""
    told = sum(day.told for day in days)
    return ToldWaits(
        told=told,
        inside=sum(day.inside for day in days),
        sooner=sum(day.sooner for day in days),
        later=sum(day.later for day in days),
        off_seconds=sum(day.off_seconds * day.told for day in days) // max(told, 1),
        usual_seconds=sum(day.usual_seconds * day.told for day in days) // max(told, 1),
    )


def _values(store_id: UUID, since: date, until: date) -> dict[str, object]:
    return {"store_id": store_id, "since": since, "until": until, "at_once": AT_ONCE_SECONDS}


def _sums(row: RowMapping) -> dict[str, int]:
    return {
        "told": int(row["told"] or 0),
        "inside": int(row["inside"] or 0),
        "sooner": int(row["sooner"] or 0),
        "later": int(row["later"] or 0),
        "off_seconds": int(row["off"] or 0),
        "usual_seconds": int(row["usual"] or 0),
    }
