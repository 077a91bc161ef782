"""What a manager writes about bookings, checked: rules of a week, exceptions, settings."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

import msgspec

from o2o.queueing.errors_bookings import BookingPlanWrong, BookingRulesOverlap
from o2o.queueing.rules.booking_plan import WeeklyRule

DAY_MINUTES = 24 * 60
SLOT_MINUTES = (5, 480)
CAPACITY_MAX = 500
PARTY_SIZE_MAX = 50
RULES_MAX = 200
EXCEPTIONS_MAX = 100
REASON_CHARS_MAX = 20
WEEKDAYS_IN_WEEK = 7


class RuleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Slots of a queue on some weekdays (0 is Monday), in minutes after midnight."""

    queue_id: UUID
    weekdays: tuple[int, ...]
    since_minute: int
    until_minute: int
    slot_minutes: int
    capacity: int
    party_size_min: int
    party_size_max: int


class ExceptionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A date on which a store (no queue) or a queue is booked otherwise; None: not at all."""

    queue_id: UUID | None
    applies_on: date
    capacity: int | None
    reason: str


class SettingsDraft(msgspec.Struct, frozen=True, kw_only=True):
    """How a store takes bookings."""

    is_taking: bool = True
    live_max: int = 3
    party_size_usual: int = 1
    remind_minutes: int = 60
    early_minutes: int = 30
    grace_minutes: int = 15
    no_show_minutes: int = 30


SETTING_RANGES = {
    "live_max": (1, 20),
    "party_size_usual": (1, PARTY_SIZE_MAX),
    "remind_minutes": (0, 1440),
    "early_minutes": (0, 240),
    "grace_minutes": (0, 240),
    "no_show_minutes": (1, 240),
}


def check_rule(draft: RuleDraft) -> None:
    """Raise BookingPlanWrong for what no store can mean."""
    if not draft.weekdays or not set(draft.weekdays) <= set(range(WEEKDAYS_IN_WEEK)):
        raise BookingPlanWrong(problem="weekdays", field="weekdays")
    if not SLOT_MINUTES[0] <= draft.slot_minutes <= SLOT_MINUTES[1]:
        raise BookingPlanWrong(problem="slot_minutes", field="slot_minutes")
    if not 0 <= draft.since_minute < draft.until_minute <= DAY_MINUTES:
        raise BookingPlanWrong(problem="times", field="until")
    if draft.since_minute + draft.slot_minutes > draft.until_minute:
        raise BookingPlanWrong(problem="no_slot", field="until")
    if not 1 <= draft.capacity <= CAPACITY_MAX:
        raise BookingPlanWrong(problem="capacity", field="capacity")
    if not 1 <= draft.party_size_min <= draft.party_size_max <= PARTY_SIZE_MAX:
        raise BookingPlanWrong(problem="party_size", field="party_size_max")


def check_apart(draft: RuleDraft, others: Iterable[WeeklyRule]) -> None:
    """Raise BookingRulesOverlap when another rule offers the same queue's places at these times."""
    for other in others:
        if (
            other.queue_id == draft.queue_id
            and other.weekday in draft.weekdays
            and other.since_minute < draft.until_minute
            and draft.since_minute < other.until_minute
            and other.party_size_min <= draft.party_size_max
            and draft.party_size_min <= other.party_size_max
        ):
            raise BookingRulesOverlap


def check_exception(draft: ExceptionDraft, *, today: date) -> None:
    """Raise BookingPlanWrong for a date that is over, or places that cannot be."""
    if draft.applies_on < today or (draft.applies_on - today).days > 366:
        raise BookingPlanWrong(problem="applies_on", field="applies_on")
    if draft.capacity is not None and not 1 <= draft.capacity <= CAPACITY_MAX:
        raise BookingPlanWrong(problem="capacity", field="capacity")
    if len(draft.reason) > REASON_CHARS_MAX:
        raise BookingPlanWrong(problem="reason", field="reason")


def check_settings(draft: SettingsDraft) -> None:
    """Raise BookingPlanWrong for a number out of its range, or a grace longer than the wait."""
    for name, (least, most) in SETTING_RANGES.items():
        if not least <= getattr(draft, name) <= most:
            raise BookingPlanWrong(problem="range", field=name)
    if draft.grace_minutes > draft.no_show_minutes:
        raise BookingPlanWrong(problem="grace", field="grace_minutes")
