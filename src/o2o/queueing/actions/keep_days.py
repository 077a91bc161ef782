"""Write what changed on queues' days, once each, and say so to whoever watches."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from o2o.crm.statuses import TicketPriority
from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.infra.outbox import publish
from o2o.kernel.events import Event
from o2o.queueing.days import Day

# Part of larger statements; the parameters are those of `day_values`.
KEEP_DAYS = (
    "UPDATE queue_days d SET last_number = s.last_number,"
    " ordinary_since_priority = s.since, booked_in_a_row = s.in_a_row,"
    " waiting_ordinary = s.ordinary, waiting_member = s.member, waiting_booked = s.booked,"
    " version = d.version + 1"
    " FROM unnest(CAST(:day_queue_ids AS uuid[]), CAST(:day_ons AS date[]),"
    " CAST(:day_numbers AS bigint[]), CAST(:day_since AS bigint[]),"
    " CAST(:day_in_a_row AS bigint[]), CAST(:day_ordinary AS bigint[]),"
    " CAST(:day_member AS bigint[]), CAST(:day_booked AS bigint[]))"
    " AS s(queue_id, business_on, last_number, since, in_a_row, ordinary, member, booked)"
    " WHERE d.queue_id = s.queue_id AND d.business_on = s.business_on"
)
_KEEP = text(KEEP_DAYS)


def day_values(days: Sequence[Day]) -> dict[str, Any]:
    """Return the parameters of KEEP_DAYS."""
    return {
        "day_queue_ids": [day.queue.queue_id for day in days],
        "day_ons": [day.business_on for day in days],
        "day_numbers": [day.last_number for day in days],
        "day_since": [day.turn.ordinary_since_priority for day in days],
        "day_in_a_row": [day.turn.booked_in_a_row for day in days],
        "day_ordinary": [day.waiting[TicketPriority.ORDINARY] for day in days],
        "day_member": [day.waiting[TicketPriority.MEMBER] for day in days],
        "day_booked": [day.waiting[TicketPriority.BOOKED] for day in days],
    }


def changed_of(days: Collection[Day]) -> list[Day]:
    """Return the days on which something changed, in the order of locks."""
    return sorted((day for day in days if day.is_changed), key=lambda day: day.key)


async def keep_days(tx: Tx, days: Collection[Day]) -> None:
    """Write the counts of the days that changed."""
    changed = changed_of(days)
    if changed:
        await write_rows(tx, _KEEP, day_values(changed))


async def tell_of_days(
    tx: Tx, days: Collection[Day], events: Sequence[Event], *, now: datetime
) -> None:
    """Publish what happened, and queue.changed once for each queue."""
    await publish(tx, *events, *(day.changed(now) for day in changed_of(days)), now=now)
