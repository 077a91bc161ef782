"""Reads of what is known about the waits of queues, quick enough for every page and every take."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.kernel.business_day import business_day
from o2o.queueing.queries.past_waits import TonightOf, list_seated, seconds_of_day
from o2o.queueing.rules.table_stays import Seated, Watch, departures
from o2o.queueing.rules.wait_estimate import ColdModel, LearntModel, WaitModel
from o2o.queueing.rules.wait_learning import Learnt

# What was worked out for a queue is said for so long: nobody's estimate changes within seconds.
KEPT_FOR = timedelta(seconds=20)
KEPT_MAX = 4096
# The places that are looked ahead for: as many parties as anybody waits behind.
PLACES_AHEAD_MAX = 200.0

_QUEUES = text(
    "SELECT q.id, q.minutes_per_party, q.servers, s.hours, s.timezone, m.learnt_at"
    " FROM queues q JOIN stores s ON s.id = q.store_id"
    " LEFT JOIN wait_models m ON m.queue_id = q.id AND m.learnt IS NOT NULL"
    " WHERE q.id = ANY(CAST(:queue_ids AS uuid[]))"
)
_LEARNT = text(
    "SELECT queue_id, learnt FROM wait_models WHERE queue_id = ANY(CAST(:queue_ids AS uuid[]))"
    " AND learnt IS NOT NULL"
)


class _Kept(msgspec.Struct, frozen=True):
    """A model that was worked out at a moment, from what had been learnt by another."""

    at: datetime
    learnt_at: datetime
    model: LearntModel


_kept: dict[UUID, _Kept] = {}


async def estimate_waits(
    tx: Tx, queue_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, WaitModel]:
    """Return the model of each queue that exists, as things stand at `now`."""
    rows = await fetch_rows(tx, _QUEUES, {"queue_ids": list(queue_ids)})
    models: dict[UUID, WaitModel] = {}
    stale: list[TonightOf] = []
    for row in rows:
        kept = _kept.get(row.id)
        if row.learnt_at is None:
            models[row.id] = ColdModel(minutes_per_party=row.minutes_per_party, servers=row.servers)
        elif kept and kept.learnt_at == row.learnt_at and abs(now - kept.at) < KEPT_FOR:
            models[row.id] = kept.model
        else:
            day = business_day(now, hours=row.hours, timezone=row.timezone)
            stale.append(TonightOf(row.id, day, row.timezone))
    if stale:
        fresh = await _worked_out(tx, stale, now=now)
        learnt_at = {row.id: row.learnt_at for row in rows}
        if len(_kept) > KEPT_MAX:
            _kept.clear()
        for queue_id, model in fresh.items():
            models[queue_id] = model
            _kept[queue_id] = _Kept(now, learnt_at[queue_id], model)
    return models


async def _worked_out(
    tx: Tx, stale: Sequence[TonightOf], *, now: datetime
) -> dict[UUID, LearntModel]:
    seated = await list_seated(tx, stale)
    rows = await fetch_rows(tx, _LEARNT, {"queue_ids": [one.queue_id for one in stale]})
    learnt = {row.queue_id: msgspec.convert(row.learnt, type=Learnt) for row in rows}
    return {
        one.queue_id: _model(learnt[one.queue_id], seated[one.queue_id], one, now=now)
        for one in stale
        if one.queue_id in learnt
    }


def _model(
    learnt: Learnt, seated: Sequence[Seated], tonight: TonightOf, *, now: datetime
) -> LearntModel:
    weekday = tonight.business_on.weekday()
    watch = Watch(learnt.stays, weekday=weekday)
    for party in seated:
        watch.seat(party)
    given = departures(
        watch.tables(),
        learnt.stays,
        now=seconds_of_day(now, day=tonight.business_on, timezone=tonight.timezone),
        weekday=weekday,
        until_places=PLACES_AHEAD_MAX,
    )
    return LearntModel(learnt=learnt, given=given)
