"""A queue's business day in hand: what is known of the queue, and the locked row being counted."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from o2o.crm.statuses import QueueKind, QueueStatus, TicketPriority
from o2o.kernel.business_day import business_day
from o2o.kernel.geo import Point
from o2o.queueing.commands import ticket_code
from o2o.queueing.events import QueueChanged
from o2o.queueing.rules.call_order import Turn

# Room between the places of two tickets, for those who come back or from another queue.
PLACE_STEP = 1_000_000


class QueueFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with its store and the store's settings."""

    queue_id: UUID
    store_id: UUID
    brand_id: UUID
    kind: QueueKind
    letter: str
    name: str
    name_en: str
    party_size_min: int
    party_size_max: int
    status: QueueStatus
    rank: int
    # Not retired.
    is_in_use: bool
    store_name: str
    at: Point
    timezone: str
    hours: Mapping[str, Any]
    hours_exceptions: Mapping[str, Any]
    distance_m_max: int | None
    return_behind: int
    returns_max: int
    ordinary_between: int
    has_member_priority: bool
    serves_waiting_after_close: bool
    # The latest day that has a row, to know without asking whether one has to be begun.
    last_business_on: date | None

    def business_on(self, at: datetime) -> date:
        """Return to which day of the store a moment belongs."""
        return business_day(at, hours=self.hours, timezone=self.timezone)

    @property
    def is_served(self) -> bool:
        """Whether those who wait here are called: a closed queue's by the store's setting."""
        return self.is_in_use and (
            self.status is not QueueStatus.CLOSED or self.serves_waiting_after_close
        )

    def fits(self, party_size: int) -> bool:
        """Whether a party of that size belongs here."""
        return self.party_size_min <= party_size <= self.party_size_max


DayKey = tuple[UUID, date]


class Day(msgspec.Struct, kw_only=True):
    """The row of a queue's day, locked; changed in memory and written once."""

    queue: QueueFacts
    business_on: date
    last_number: int
    turn: Turn
    waiting: dict[TicketPriority, int]
    version: int
    is_changed: bool = False
    # Whether those who wait changed, too.
    is_line_changed: bool = False

    @property
    def key(self) -> DayKey:
        """Name the row."""
        return self.queue.queue_id, self.business_on

    def next_number(self) -> int:
        """Give the next number out."""
        self.last_number += 1
        self.is_changed = self.is_line_changed = True
        return self.last_number

    def count(self, priority: TicketPriority, by: int) -> None:
        """Count that so many more wait, or fewer."""
        self.waiting[priority] += by
        self.is_changed = self.is_line_changed = True

    def call(self, priority: TicketPriority) -> None:
        """Count that one who waited was called."""
        self.count(priority, -1)
        self.turn = self.turn.after(priority)

    def code_of(self, number: int) -> str:
        """Return a number as people read it."""
        return ticket_code(self.queue.letter, number)

    def changed(self, at: datetime) -> QueueChanged:
        """Tell of the change that is being written."""
        return QueueChanged(
            queue_id=self.queue.queue_id,
            store_id=self.queue.store_id,
            business_on=self.business_on,
            version=self.version + 1,
            is_line_changed=self.is_line_changed,
            at=at,
        )
