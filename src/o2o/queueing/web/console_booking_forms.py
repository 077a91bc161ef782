"""What managers type about bookings, read: times, weekdays, numbers, dates; faults are named."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from o2o.queueing.errors_bookings import BookingPlanWrong
from o2o.queueing.rules.booking_drafts import (
    DAY_MINUTES,
    SETTING_RANGES,
    ExceptionDraft,
    RuleDraft,
    SettingsDraft,
)
from o2o.queueing.web.console_forms import Form, typed, whole

RULE_FIELDS = (
    "queue_id",
    "since",
    "until",
    "slot_minutes",
    "capacity",
    "party_size_min",
    "party_size_max",
)
EXCEPTION_FIELDS = ("except_queue_id", "applies_on", "kind", "except_capacity", "reason")


def read_rule(form: Form, weekdays: Sequence[str]) -> RuleDraft:
    """Return the slots somebody typed. Raises BookingPlanWrong."""
    return RuleDraft(
        queue_id=_id(form, "queue_id"),
        weekdays=tuple(int(day) for day in weekdays if day.isascii() and day.isdigit()),
        since_minute=_minutes(form, "since"),
        until_minute=_minutes(form, "until"),
        slot_minutes=_number(form, "slot_minutes"),
        capacity=_number(form, "capacity"),
        party_size_min=_number(form, "party_size_min"),
        party_size_max=_number(form, "party_size_max"),
    )


def read_exception(form: Form) -> ExceptionDraft:
    """Return the date somebody typed. Raises BookingPlanWrong."""
    is_closed = typed(form, "kind") != "capacity"
    return ExceptionDraft(
        queue_id=_id(form, "except_queue_id") if typed(form, "except_queue_id") else None,
        applies_on=_date(form, "applies_on"),
        capacity=None if is_closed else _number(form, "except_capacity"),
        reason=typed(form, "reason"),
    )


def read_settings(form: Form) -> SettingsDraft:
    """Return the settings somebody typed. Raises BookingPlanWrong."""
    numbers = {name: _number(form, name) for name in SETTING_RANGES}
    return SettingsDraft(is_taking=typed(form, "is_taking") == "yes", **numbers)


def clock_of(minute: int) -> str:
    """Return minutes after midnight as a clock shows them; the end of the day is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def typed_fields(form: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Return what stands in these fields."""
    return {name: typed(form, name) for name in names}


def _id(form: Form, name: str) -> UUID:
    try:
        return UUID(typed(form, name))
    except ValueError:
        raise BookingPlanWrong(problem="queue", field=name) from None


def _number(form: Form, name: str) -> int:
    number = whole(form, name)
    if number is None or number > DAY_MINUTES:
        raise BookingPlanWrong(problem="number", field=name)
    return number


def _minutes(form: Form, name: str) -> int:
    hour, colon, minute = typed(form, name).partition(":")
    is_clock = colon and hour.isdigit() and minute.isdigit() and len(minute) == 2
    if not is_clock or not hour.isascii() or not minute.isascii() or len(hour) > 2:
        raise BookingPlanWrong(problem="time", field=name)
    total = int(hour) * 60 + int(minute)
    if int(minute) >= 60 or total > DAY_MINUTES:
        raise BookingPlanWrong(problem="time", field=name)
    return total


def _date(form: Form, name: str) -> date:
    try:
        return date.fromisoformat(typed(form, name))
    except ValueError:
        raise BookingPlanWrong(problem="applies_on", field=name) from None
