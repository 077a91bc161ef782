"""Set when a store serves: its weekly hours, and the dates on which they are different."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from o2o.crm.organisation import Store
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.hours import WEEKDAYS
from o2o.kernel.ids import StoreId
from o2o.stores.errors import HoursWrong, StoreNotFound
from o2o.stores.events import StoreHoursSet

Spans = Sequence[tuple[str, str]]
# By weekday or by date, as the columns hold them: [["10:00", "14:00"]].
Kept = dict[str, list[list[str]]]
SPANS_PER_DAY_MAX = 4
EXCEPTIONS_MAX = 100
_DAY_MINUTES = 24 * 60
_MIDNIGHT = "24:00"
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


async def set_hours(
    tx: Tx,
    *,
    store_id: UUID,
    brand_id: UUID,
    hours: Mapping[str, Spans],
    exceptions: Mapping[date, Spans],
    today: date,
    actor: Actor,
    now: datetime,
) -> None:
    """Replace a store's hours; a weekday that is not named is a day off.

    An end at or before its start is on the next day. Exceptions of dates before `today` are
    forgotten. Raises StoreNotFound, HoursWrong; then nothing changed. Publishes `store.hours_set`.
    """
    weekly, dated = check_hours(hours, exceptions, today=today)
    before = (
        await tx.execute(
            select(Store.hours, Store.hours_exceptions)
            .where(Store.id == store_id, Store.brand_id == brand_id)
            .with_for_update()
        )
    ).one_or_none()
    if before is None:
        raise StoreNotFound(store_id=store_id)
    if (before.hours, before.hours_exceptions) == (weekly, dated):
        return
    await tx.execute(
        update(Store).where(Store.id == store_id).values(hours=weekly, hours_exceptions=dated)
    )
    await note(
        tx,
        actor=actor,
        action="store.hours_set",
        at=now,
        subject=("store", store_id),
        store_id=store_id,
        before={"hours": before.hours, "exceptions": before.hours_exceptions},
        after={"hours": weekly, "exceptions": dated},
    )
    await publish(tx, StoreHoursSet(store_id=StoreId(store_id)), now=now)


def check_hours(
    hours: Mapping[str, Spans], exceptions: Mapping[date, Spans], *, today: date
) -> tuple[Kept, Kept]:
    """Return the hours of the week and of dates from `today` on, as a store keeps them.

    Raises HoursWrong.
    """
    weekly = {day: _checked(hours.get(day, ()), day) for day in WEEKDAYS}
    _check_apart(weekly)
    dated = {
        day.isoformat(): _checked(spans, day.isoformat())
        for day, spans in sorted(exceptions.items())
        if day >= today
    }
    if len(dated) > EXCEPTIONS_MAX:
        raise HoursWrong(problem="too_many", field="exceptions", day="")
    return weekly, dated


def _checked(spans: Spans, day: str) -> list[list[str]]:
    """Return the spans of a day in order. Raises HoursWrong."""
    if len(spans) > SPANS_PER_DAY_MAX:
        raise HoursWrong(problem="too_many", field=day, day=day)
    for since, until in spans:
        if not (_CLOCK.fullmatch(since) and (until == _MIDNIGHT or _CLOCK.fullmatch(until))):
            raise HoursWrong(problem="time", field=day, day=day)
    ordered = sorted(spans)
    ends = [_minutes(span) for span in ordered]
    if any(early[1] > late[0] for early, late in pairwise(ends)):
        raise HoursWrong(problem="overlap", field=day, day=day)
    return [list(span) for span in ordered]


def _check_apart(weekly: Mapping[str, Any]) -> None:
    """Refuse a night that runs into the next day's opening; Sunday's runs into Monday."""
    for index, day in enumerate(WEEKDAYS):
        following = weekly[WEEKDAYS[(index + 1) % len(WEEKDAYS)]]
        if not weekly[day] or not following:
            continue
        ends = _minutes(weekly[day][-1])[1]
        if ends - _DAY_MINUTES > _minutes(following[0])[0]:
            raise HoursWrong(problem="overlap", field=day, day=day)


def _minutes(span: Sequence[str]) -> tuple[int, int]:
    since, until = (_of_clock(text) for text in span)
    return since, until if until > since else until + _DAY_MINUTES


def _of_clock(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
