"""What the diner's booking pages show: days, times with places, one's own bookings."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from o2o.crm.statuses_bookings import BookingStatus
from o2o.queueing.queries.booking_plans import with_places_left
from o2o.queueing.queries.bookings import KnownBooking
from o2o.queueing.rules.booking_plan import Plan, PlannedSlot, SlotKey, bookable_days
from o2o.web.copy import Words
from o2o.web.forms import Fault

NOON, EVENING = 12, 18
FEW_PLACES = 1
TYPED = "%Y%m%d%H%M"


class DayTexts:
    """Dates as people say them: today, tomorrow, then the weekday and the date."""

    def __init__(self, words: Words, *, language: str, now: datetime) -> None:
        """Say them in one language, seen from one moment."""
        self._words = words
        self._language = language
        self._now = now

    def text(self, key: str, **values: Any) -> str:
        """Return a text of the booking pages."""
        return self._words.text(f"queueing_booking_pages.{key}", self._language, **values)

    def short(self, day: date, zone: ZoneInfo) -> str:
        """Return today, tomorrow or the weekday."""
        ahead = (day - self._now.astimezone(zone).date()).days
        if ahead in {0, 1}:
            return self.text(f"day.{'today' if ahead == 0 else 'tomorrow'}")
        return self.text(f"day.weekday_{day.weekday()}")

    def dated(self, day: date) -> str:
        """Return the month and the day."""
        return self.text("day.date", month=day.month, day=day.day)

    def full(self, at: datetime, zone: ZoneInfo) -> str:
        """Return a date in full and the time."""
        local = at.astimezone(zone)
        return self.text(
            "day.full",
            short=self.short(local.date(), zone),
            date=self.dated(local.date()),
            time=f"{local:%H:%M}",
        )


class DayTab(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the strip."""

    on: str
    short: str
    dated: str
    is_chosen: bool
    # How many places are left that day for the party.
    places: int
    has_slots: bool


class TimeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A time of the grid: `typed` is what the form sends."""

    typed: str
    clock: str
    places: int
    is_few: bool


class TimeGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Morning, afternoon or evening; a key of the copy."""

    part: str
    times: list[TimeChoice]


class LineChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A service line to choose."""

    queue_id: UUID
    code: str
    name: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A free time near the one that was asked for."""

    typed: str
    text: str


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A store to choose."""

    store_id: UUID
    name: str
    address: str


class MyBooking(msgspec.Struct, frozen=True, kw_only=True):
    """One of one's own bookings."""

    booking_id: UUID
    code: str
    store_id: UUID
    store_name: str
    at_text: str
    party_size: int
    status: str
    is_live: bool
    is_by_store: bool

    @classmethod
    def of(cls, booking: KnownBooking, texts: DayTexts) -> "MyBooking":
        """Show a booking of the reader's."""
        return cls(
            booking_id=booking.booking_id,
            code=booking.code,
            store_id=booking.store_id,
            store_name=booking.store_name,
            at_text=texts.full(booking.starts_at, ZoneInfo(booking.timezone)),
            party_size=booking.party_size,
            status=booking.status.value,
            is_live=booking.status in {BookingStatus.BOOKED, BookingStatus.ARRIVED},
            is_by_store=booking.is_by_store,
        )


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the address or the form says so far."""

    store_id: UUID | None = None
    on: date | None = None
    party_size: int | None = None
    queue_id: UUID | None = None
    # The booking whose time is to be changed.
    change_id: UUID | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A store's days and times, for a party of one size."""

    store_id: UUID
    store_name: str
    store_address: str
    is_taking: bool
    party_size: int
    sizes: list[int]
    lines: list[LineChoice]
    queue_id: UUID | None
    on: str
    days: list[DayTab]
    groups: list[TimeGroup]
    # The code of the booking that is changed, or empty.
    change_id: UUID | None
    change_code: str
    can_choose_store: bool


class BookingsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page: one's own, then a choice of stores or of times."""

    mine: list[MyBooking]
    stores: list[StoreChoice]
    choice: Choice | None
    request_id: UUID
    fault: Fault | None = None
    suggestions: list[Suggestion] = []
    # The code of the door that the reader stands at; goes along to the booking, which checks it.
    door: str = ""


class BookingPage(msgspec.Struct, frozen=True, kw_only=True):
    """One booking of the reader's."""

    booking: MyBooking
    store_address: str
    code_letters: str
    # The number that it became.
    ticket_id: UUID | None
    ticket_code: str
    # At the door of the store, within the time: a code that proves it.
    door: str
    early_text: str
    grace_minutes: int
    can_change: bool
    fault: Fault | None = None
    told: str = ""


def load_choice(
    plan: Plan,
    booked: dict[SlotKey, int],
    *,
    wanted: Wanted,
    change_code: str,
    can_choose_store: bool,
    texts: DayTexts,
    language: str,
    now: datetime,
) -> Choice:
    """Put a store's days and times together."""
    lines = _lines(plan, language=language)
    line_ids = [line.queue_id for line in lines]
    queue_id = wanted.queue_id if wanted.queue_id in line_ids else next(iter(line_ids), None)
    sizes = _sizes(plan, queue_id)
    usual = min(max(plan.party_size_usual, sizes[0]), sizes[-1]) if sizes else 1
    size = wanted.party_size if wanted.party_size in sizes else usual
    slots = [
        with_places_left(slot, booked)
        for slot in plan.slots_from(now)
        if slot.fits(size) and queue_id in {None, slot.queue_id}
    ]
    days = bookable_days(now, zone=plan.zone)
    by_day = {day: [slot for slot in slots if plan.day_of(slot.starts_at) == day] for day in days}
    on = wanted.on if wanted.on in by_day else _first_day(by_day)
    return Choice(
        store_id=plan.store_id,
        store_name=plan.store_name,
        store_address=plan.store_address,
        is_taking=plan.is_taking and bool(plan.rules),
        party_size=size,
        sizes=sizes,
        lines=lines,
        queue_id=queue_id,
        on=on.isoformat(),
        days=[_tab(day, by_day[day], on=on, texts=texts, zone=plan.zone) for day in days],
        groups=_groups(by_day[on], plan.zone),
        change_id=wanted.change_id,
        change_code=change_code,
        can_choose_store=can_choose_store,
    )


def suggestions_of(
    nearest: Sequence[datetime], zone: ZoneInfo, *, asked: date, texts: DayTexts
) -> list[Suggestion]:
    """Show free times in their order; of another day than the one asked for with its date."""
    found = []
    for local in sorted(at.astimezone(zone) for at in nearest):
        is_same_day = local.date() == asked
        text = f"{local:%H:%M}" if is_same_day else texts.full(local, zone)
        found.append(Suggestion(typed=f"{local:{TYPED}}", text=text))
    return found


def _sizes(plan: Plan, queue_id: UUID | None) -> list[int]:
    return sorted(
        {
            size
            for rule in plan.rules
            if queue_id in {None, rule.queue_id}
            for size in range(rule.party_size_min, rule.party_size_max + 1)
        }
    )


def _lines(plan: Plan, *, language: str) -> list[LineChoice]:
    """Lines are chosen by what somebody comes for; tables by the size of the party alone."""
    lines = [
        LineChoice(queue_id=q.queue_id, code=q.code, name=q.name_in(language))
        for q in plan.queues
        if q.kind == "service_line"
    ]
    return lines if len(lines) > 1 else []


def _first_day(by_day: dict[date, list[PlannedSlot]]) -> date:
    """The first day with a place, else the first with slots, else today."""
    with_places = (day for day, slots in by_day.items() if any(s.capacity for s in slots))
    with_slots = (day for day, slots in by_day.items() if slots)
    return next(with_places, None) or next(with_slots, None) or next(iter(by_day))


def _tab(
    day: date, slots: Sequence[PlannedSlot], *, on: date, texts: DayTexts, zone: ZoneInfo
) -> DayTab:
    return DayTab(
        on=day.isoformat(),
        short=texts.short(day, zone),
        dated=texts.dated(day),
        is_chosen=day == on,
        places=sum(slot.capacity for slot in slots),
        has_slots=bool(slots),
    )


def _groups(slots: Sequence[PlannedSlot], zone: ZoneInfo) -> list[TimeGroup]:
    places: dict[datetime, int] = {}
    for slot in slots:
        places[slot.starts_at] = places.get(slot.starts_at, 0) + slot.capacity
    times = [(at.astimezone(zone), count) for at, count in sorted(places.items())]
    return [
        TimeGroup(part=part, times=[_time(at, count) for at, count in group])
        for part, group in groupby(times, key=lambda one: _part(one[0]))
    ]


def _part(local: datetime) -> str:
    if local.hour < NOON:
        return "morning"
    return "afternoon" if local.hour < EVENING else "evening"


def _time(local: datetime, places: int) -> TimeChoice:
    return TimeChoice(
        typed=f"{local:{TYPED}}",
        clock=f"{local:%H:%M}",
        places=places,
        is_few=0 < places <= FEW_PLACES,
    )
