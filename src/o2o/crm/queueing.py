"""Tables of the queues: lines and their days, desks, tickets, moves, calls. Owner: `queueing`.

Tickets keep their number for good; where they stand is `place`. Moves and calls are append only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import (
    CallKind,
    QueueKind,
    QueueStatus,
    TicketPriority,
    TicketSource,
    TicketStatus,
)

_ACTIVE = "status IN ('waiting', 'called')"


class QueueSettings(Base):
    """How a store queues: one row per store that takes numbers."""

    __tablename__ = "queue_settings"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    # How far away a number may be taken by page or chat, in metres; None: from anywhere.
    distance_m_max: Mapped[int | None]
    # Who sends a place so near, in metres, is at the store: what phones err inside its building.
    reach_m: Mapped[int] = mapped_column(Small, server_default=text("200"))
    # A party is told when so many are ahead of it, or its median wait falls under so many minutes.
    notice_parties: Mapped[int] = mapped_column(Small, server_default=text("3"))
    notice_minutes: Mapped[int] = mapped_column(Small, server_default=text("10"))
    # After a miss: behind how many parties one comes back, and how often.
    return_behind: Mapped[int] = mapped_column(Small, server_default=text("3"))
    returns_max: Mapped[int] = mapped_column(Small, server_default=text("1"))
    # At most one priority call after so many ordinary ones, while ordinary parties wait.
    ordinary_between: Mapped[int] = mapped_column(Small, server_default=text("2"))
    # Whether members (by location, by page) get priority here.
    has_member_priority: Mapped[bool] = mapped_column(server_default=text("false"))
    # What happens to those who wait when a queue closes: they are served still, or told to go.
    serves_waiting_after_close: Mapped[bool] = mapped_column(server_default=text("true"))
    # What is published with `wait.promise_missed`: {"template": …, "text": …}; None: nothing.
    apology: Mapped[dict[str, Any] | None]
    # Which print of the door's code is good; a new one ends those before it.
    door_edition: Mapped[int] = mapped_column(Small, server_default=text("1"))
    # Which address of the hall's display is good; a new one ends those before it.
    display_edition: Mapped[int] = mapped_column(Small, server_default=text("1"))
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("distance_m_max BETWEEN 50 AND 100000", name="distance_in_range"),
        CheckConstraint("notice_parties BETWEEN 1 AND 20", name="notice_parties_in_range"),
        CheckConstraint("notice_minutes BETWEEN 1 AND 120", name="notice_minutes_in_range"),
        CheckConstraint("return_behind BETWEEN 0 AND 20", name="return_behind_in_range"),
        CheckConstraint("returns_max BETWEEN 0 AND 5", name="returns_in_range"),
        CheckConstraint("ordinary_between BETWEEN 1 AND 20", name="ordinary_between_in_range"),
        CheckConstraint("reach_m BETWEEN 50 AND 2000", name="reach_in_range"),
        CheckConstraint("door_edition > 0", name="door_edition_positive"),
        CheckConstraint("display_edition > 0", name="display_edition_positive"),
    )


class Queue(Base):
    """A line of tickets: a table class of a restaurant, or a lettered service line of a hall."""

    __tablename__ = "queues"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    kind: Mapped[QueueKind] = mapped_column(status_column(QueueKind))
    # The letter before the number: B of B019.
    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    # Which parties belong here; a service line takes parties of one to its maximum.
    party_size_min: Mapped[int] = mapped_column(Small, server_default=text("1"))
    party_size_max: Mapped[int] = mapped_column(Small)
    status: Mapped[QueueStatus] = mapped_column(status_column(QueueStatus))
    # Tables of the class, or desks that usually serve the line: for the first estimate.
    servers: Mapped[int] = mapped_column(Small, server_default=text("1"))
    # Minutes that a party keeps a table or a desk, until the store's own history says better.
    minutes_per_party: Mapped[int] = mapped_column(Small)
    rank: Mapped[int] = mapped_column(Small)
    # Since when the store does without it. Nothing lists it any more; its tickets keep their
    # letter, so a new queue of that letter is this one again.
    retired_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("store_id", "code"),
        CheckConstraint("code ~ '^[A-Z]$'", name="code_is_letter"),
        CheckConstraint(
            "party_size_min BETWEEN 1 AND party_size_max AND party_size_max <= 50",
            name="party_size_in_range",
        ),
        CheckConstraint("servers BETWEEN 1 AND 500", name="servers_in_range"),
        CheckConstraint("minutes_per_party BETWEEN 1 AND 480", name="minutes_in_range"),
    )


class QueueDay(Base):
    """A queue's numbering of one business day: the row that takes and calls lock."""

    __tablename__ = "queue_days"

    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"), primary_key=True)
    business_on: Mapped[date] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(server_default=text("0"))
    # Ordinary calls since the last call of a member's number (at first: long), and of bookings one
    # after another; they decide who is next.
    ordinary_since_priority: Mapped[int] = mapped_column(server_default=text("20"))
    booked_in_a_row: Mapped[int] = mapped_column(server_default=text("0"))
    # How many tickets wait, by priority: counted along with every move, under the row's lock.
    waiting_ordinary: Mapped[int] = mapped_column(server_default=text("0"))
    waiting_member: Mapped[int] = mapped_column(server_default=text("0"))
    waiting_booked: Mapped[int] = mapped_column(server_default=text("0"))
    # Grows with every change, so that streams know what is newer.
    version: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("last_number >= 0", name="last_number_not_negative"),
        CheckConstraint(
            "waiting_ordinary >= 0 AND waiting_member >= 0 AND waiting_booked >= 0",
            name="waiting_not_negative",
        ),
    )


class Desk(Base):
    """Where calls of queues are served: a hall's window, a restaurant's reception."""

    __tablename__ = "desks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    # What people read and hear: "3".
    code: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("store_id", "code"),)


class DeskQueue(Base):
    """A queue that a desk serves."""

    __tablename__ = "desk_queues"

    desk_id: Mapped[UUID] = mapped_column(ForeignKey("desks.id"), primary_key=True)
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"), primary_key=True)


class Ticket(Base):
    """A party's place in a queue."""

    __tablename__ = "tickets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    body_hash: Mapped[bytes]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"))
    business_on: Mapped[date]
    number: Mapped[int]
    party_size: Mapped[int] = mapped_column(Small)
    status: Mapped[TicketStatus] = mapped_column(status_column(TicketStatus))
    priority: Mapped[TicketPriority] = mapped_column(status_column(TicketPriority))
    source: Mapped[TicketSource] = mapped_column(status_column(TicketSource))
    # Order within queue, day and priority, lower first: the number × 1,000,000 when taken; one who
    # comes back or comes from another queue is put between others.
    place: Mapped[int]
    returns: Mapped[int] = mapped_column(Small, server_default=text("0"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    fan_id: Mapped[UUID | None] = mapped_column(ForeignKey("fans.id", ondelete="SET NULL"))
    booking_id: Mapped[UUID | None]
    # The ticket of another queue that this one goes on from.
    moved_from_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))
    taken_at: Mapped[datetime]
    # The first and the last call, and the end (seated, cancelled, expired, moved).
    called_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # How long the party has to go until it is here, in seconds, where it said where it is.
    travel_seconds: Mapped[int | None]
    # The wait that was promised when the number was taken, in seconds from then.
    promised_low_seconds: Mapped[int | None]
    promised_median_seconds: Mapped[int | None]
    promised_high_seconds: Mapped[int | None]
    # How many parties were ahead then.
    ahead_at_take: Mapped[int]
    # How many are ahead at the hall's own machine, once that has taken the ticket in.
    ahead_at_machine: Mapped[int | None]
    promise_missed_at: Mapped[datetime | None]
    # When the party was told that it is almost its turn; once in a ticket's life.
    told_soon_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("queue_id", "business_on", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("party_size BETWEEN 1 AND 50", name="party_size_in_range"),
        CheckConstraint(
            "(status IN ('waiting', 'called', 'skipped')) = (ended_at IS NULL)",
            name="ended_at_a_time",
        ),
        CheckConstraint(
            "promised_low_seconds <= promised_median_seconds"
            " AND promised_median_seconds <= promised_high_seconds",
            name="promise_in_order",
        ),
        Index(
            "uq_tickets_active_member",
            "store_id",
            "member_id",
            unique=True,
            postgresql_where=text(f"{_ACTIVE} AND member_id IS NOT NULL"),
        ),
        Index(
            "uq_tickets_active_fan",
            "store_id",
            "fan_id",
            unique=True,
            postgresql_where=text(f"{_ACTIVE} AND fan_id IS NOT NULL"),
        ),
        Index(
            "ix_tickets_waiting",
            "queue_id",
            "business_on",
            "priority",
            "place",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index(
            "ix_tickets_promise",
            "taken_at",
            postgresql_where=text("status = 'waiting' AND promise_missed_at IS NULL"),
        ),
        Index("ix_tickets_store_day", "store_id", "business_on"),
        Index("ix_tickets_booking", "booking_id", postgresql_where=text("booking_id IS NOT NULL")),
        Index("ix_tickets_open", "business_on", postgresql_where=text("ended_at IS NULL")),
        Index("ix_tickets_member", "member_id", postgresql_where=text("member_id IS NOT NULL")),
        Index("ix_tickets_fan", "fan_id", postgresql_where=text("fan_id IS NOT NULL")),
    )


class TicketMove(Base):
    """What happened to a ticket: who moved it, from what to what, when."""

    __tablename__ = "ticket_moves"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    # None in the first row, which says that it was taken.
    from_status: Mapped[str | None]
    to_status: Mapped[TicketStatus] = mapped_column(status_column(TicketStatus))
    # The verb: taken, called, recalled, skipped, returned, seated, cancelled, moved, expired.
    move: Mapped[str]
    # The caller's name for the intention, where one was given.
    request_id: Mapped[UUID | None] = mapped_column(unique=True)
    body_hash: Mapped[bytes | None]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    pad_id: Mapped[UUID | None] = mapped_column(ForeignKey("pads.id"))
    api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    reason: Mapped[str | None]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_ticket_moves_ticket", "ticket_id", "seq"),)


class QueueCall(Base):
    """A call of a ticket to a desk, said and shown in the hall."""

    __tablename__ = "queue_calls"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    body_hash: Mapped[bytes]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"))
    business_on: Mapped[date]
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[CallKind] = mapped_column(status_column(CallKind))
    # What is read and said, kept as it was: "3".
    desk: Mapped[str]
    called_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_queue_calls_store_day", "store_id", "business_on", "seq"),
        Index("ix_queue_calls_queue_day", "queue_id", "business_on", "seq"),
        Index("ix_queue_calls_ticket", "ticket_id"),
    )
