"""What can be booked when: slots planned by weekly rules, exceptions and the store's hours."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from o2o.kernel.hours import Span, spans_of_day

# The store's calendar decides: today and the five days after it.
DAYS_AHEAD_MAX = 5
SUGGESTIONS = 3


class BookableQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A table class or a service line that has slots."""

    queue_id: UUID
    kind: str
    code: str
    name: str
    name_en: str
    rank: int

    def name_in(self, language: str) -> str:
        """Return the name for a reader of that language."""
        return self.name_en if language == "en" else self.name


class WeeklyRule(msgspec.Struct, frozen=True, kw_only=True):
    """Slots of a queue on a weekday (0 is Monday), in minutes after midnight."""

    rule_id: UUID
    queue_id: UUID
    weekday: int
    since_minute: int
    until_minute: int
    slot_minutes: int
    capacity: int
    party_size_min: int
    party_size_max: int


class DayException(msgspec.Struct, frozen=True, kw_only=True):
    """A date on which a store (no queue named) or a queue is booked otherwise; None: not at all."""

    exception_id: UUID
    queue_id: UUID | None
    applies_on: date
    capacity: int | None
    reason: str = ""


class SlotKey(msgspec.Struct, frozen=True, order=True):
    """Tells slots apart; their order is the order in which they are locked."""

    queue_id: UUID
    starts_at: datetime
    party_size_min: int


class PlannedSlot(msgspec.Struct, frozen=True, kw_only=True):
    """A slot as the plan has it, for so many parties of these sizes."""

    queue_id: UUID
    starts_at: datetime
    party_size_min: int
    party_size_max: int
    capacity: int

    @property
    def key(self) -> SlotKey:
        """Tell it apart."""
        return SlotKey(self.queue_id, self.starts_at, self.party_size_min)

    def fits(self, party_size: int) -> bool:
        """Whether the slot is for parties of that size."""
        return self.party_size_min <= party_size <= self.party_size_max


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How one store is booked."""

    store_id: UUID
    brand_id: UUID
    store_name: str
    store_address: str
    timezone: str
    is_taking: bool
    live_max: int
    party_size_usual: int
    remind_minutes: int
    early_minutes: int
    grace_minutes: int
    no_show_minutes: int
    hours: Mapping[str, Any]
    hours_exceptions: Mapping[str, Any]
    queues: Sequence[BookableQueue]
    rules: Sequence[WeeklyRule]
    exceptions: Sequence[DayException]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the store's calendar and clock."""
        return ZoneInfo(self.timezone)

    def day_of(self, at: datetime) -> date:
        """Return the date of a moment in the store's calendar."""
        return at.astimezone(self.zone).date()

    def serves_at(self, at: datetime) -> bool:
        """Whether the store is open at a moment, as far as anybody said."""
        spans = self._spans_around(self.day_of(at))
        return spans is None or any(span.since <= at < span.until for span in spans)

    def slots_of_day(self, day: date) -> list[PlannedSlot]:
        """Return the slots that begin on a date while the store serves, in order of time.

        Where two queues have a slot at one time, the tighter for the party comes first.
        """
        spans = self._spans_around(day)
        slots = [
            slot
            for rule in self.rules
            if rule.weekday == day.weekday()
            for slot in self._slots_of_rule(rule, day)
            if spans is None or any(span.since <= slot.starts_at < span.until for span in spans)
        ]
        ranks = {queue.queue_id: queue.rank for queue in self.queues}
        return sorted(
            slots,
            key=lambda slot: (
                slot.starts_at,
                slot.party_size_max,
                ranks.get(slot.queue_id, 0),
                slot.queue_id,
            ),
        )

    def slots_from(self, now: datetime) -> list[PlannedSlot]:
        """Return every slot that can still be booked by its time, earliest first."""
        return [
            slot
            for day in bookable_days(now, zone=self.zone)
            for slot in self.slots_of_day(day)
            if slot.starts_at > now
        ]

    def _slots_of_rule(self, rule: WeeklyRule, day: date) -> Iterable[PlannedSlot]:
        capacity = self._capacity(rule, day)
        if capacity == 0:
            return
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        last = rule.until_minute - rule.slot_minutes
        for minute in range(rule.since_minute, last + 1, rule.slot_minutes):
            yield PlannedSlot(
                queue_id=rule.queue_id,
                starts_at=midnight + timedelta(minutes=minute),
                party_size_min=rule.party_size_min,
                party_size_max=rule.party_size_max,
                capacity=capacity,
            )

    def _capacity(self, rule: WeeklyRule, day: date) -> int:
        """A closed store closes its queues; else what is said of the queue itself counts."""
        said = {
            exception.queue_id: exception.capacity
            for exception in self.exceptions
            if exception.applies_on == day and exception.queue_id in {None, rule.queue_id}
        }
        if None in said.values():
            return 0
        found = said.get(rule.queue_id) or said.get(None)
        return rule.capacity if found is None else found

    def _spans_around(self, day: date) -> list[Span] | None:
        """When the store serves on a date, the night before included; None where nobody said."""
        if not self.hours and not self.hours_exceptions:
            return None
        return [
            span
            for near in (day - timedelta(days=1), day)
            for span in spans_of_day(
                near,
                hours=self.hours,
                timezone=self.timezone,
                exceptions=self.hours_exceptions,
            )
        ]


class When(Enum):
    """Whether a time is one that can be booked now."""

    PAST = "past"
    BOOKABLE = "bookable"
    TOO_FAR = "too_far"


def when_is(starts_at: datetime, *, now: datetime, zone: ZoneInfo) -> When:
    """Say whether a time is over, within the five days, or later than those."""
    if starts_at <= now:
        return When.PAST
    ahead = starts_at.astimezone(zone).date() - now.astimezone(zone).date()
    return When.TOO_FAR if ahead > timedelta(days=DAYS_AHEAD_MAX) else When.BOOKABLE


def bookable_days(now: datetime, *, zone: ZoneInfo) -> list[date]:
    """Return today and the days after it that can be booked."""
    today = now.astimezone(zone).date()
    return [today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD_MAX + 1)]


def nearest(
    asked: datetime, free: Iterable[datetime], *, most: int = SUGGESTIONS
) -> list[datetime]:
    """Return the times nearest to the one asked for, nearest first; of two as near, the later."""
    return sorted(set(free), key=lambda at: (abs(at - asked), at < asked))[:most]
