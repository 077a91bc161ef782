"""What an arrival with a booking means: too early, served first, served in turn, or too late."""

from datetime import datetime, timedelta
from enum import Enum


class Arrival(Enum):
    """How somebody comes who booked."""

    # Before anybody is kept a place: come back, or take a number as everybody.
    TOO_EARLY = "too_early"
    # Served first.
    IN_TIME = "in_time"
    # After the grace: still served, in turn with those who did not book.
    LATE = "late"
    # After the time when nobody is expected any more.
    MISSED = "missed"


def arrival_of(
    starts_at: datetime,
    *,
    now: datetime,
    early_minutes: int,
    grace_minutes: int,
    no_show_minutes: int,
) -> Arrival:
    """Say what arriving now means; each limit still belongs to the better side."""
    if now < early_from(starts_at, early_minutes=early_minutes):
        return Arrival.TOO_EARLY
    if now <= starts_at + timedelta(minutes=grace_minutes):
        return Arrival.IN_TIME
    if now < starts_at + timedelta(minutes=no_show_minutes):
        return Arrival.LATE
    return Arrival.MISSED


def early_from(starts_at: datetime, *, early_minutes: int) -> datetime:
    """Return from when on an arrival counts."""
    return starts_at - timedelta(minutes=early_minutes)
