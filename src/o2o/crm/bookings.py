"""Tables of bookings: how a store is booked, its slots, who comes when, and each move.

Owner: `queueing`. A slot's row is made when somebody first books it; what can be booked is planned
by the weekly rules and the exceptions. Moves are append only.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses_bookings import BookingSource, BookingStatus

_LIVE = "status IN ('booked', 'arrived')"


class BookingSettings(Base):
    """How a store takes bookings: one row per store that does. Bookings share its lock, changes
    of the plan hold it alone, so that no booking is made by a plan that is being replaced.
    """

    __tablename__ = "booking_settings"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    is_taking: Mapped[bool] = mapped_column(server_default=text("true"))
    # How many bookings that are still to come one person may have here.
    live_max: Mapped[int] = mapped_column(Small, server_default=text("3"))
    # For how many a booking is that does not say so, as by chat.
    party_size_usual: Mapped[int] = mapped_column(Small, server_default=text("1"))
    # Minutes before the time at which people are reminded; 0 for never.
    remind_minutes: Mapped[int] = mapped_column(Small, server_default=text("60"))
    # Minutes before the time from which an arrival is served first.
    early_minutes: Mapped[int] = mapped_column(Small, server_default=text("30"))
    # Minutes after the time until which an arrival is still served first.
    grace_minutes: Mapped[int] = mapped_column(Small, server_default=text("15"))
    # Minutes after the time when nobody is expected any more.
    no_show_minutes: Mapped[int] = mapped_column(Small, server_default=text("30"))
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("live_max BETWEEN 1 AND 20", name="live_in_range"),
        CheckConstraint("party_size_usual BETWEEN 1 AND 50", name="party_size_in_range"),
        CheckConstraint("remind_minutes BETWEEN 0 AND 1440", name="remind_in_range"),
        CheckConstraint("early_minutes BETWEEN 0 AND 240", name="early_in_range"),
        CheckConstraint("grace_minutes BETWEEN 0 AND no_show_minutes", name="grace_in_range"),
        CheckConstraint("no_show_minutes BETWEEN 1 AND 240", name="no_show_in_range"),
    )


class BookingRule(Base):
    """Slots of a queue on a weekday: one every so many minutes, each for so many parties."""

    __tablename__ = "booking_rules"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"))
    # 0 is Monday.
    weekday: Mapped[int] = mapped_column(Small)
    # Minutes after midnight of the store's calendar day; the last slot ends by `until_minute`.
    since_minute: Mapped[int] = mapped_column(Small)
    until_minute: Mapped[int] = mapped_column(Small)
    slot_minutes: Mapped[int] = mapped_column(Small)
    # Parties per slot.
    capacity: Mapped[int] = mapped_column(Small)
    party_size_min: Mapped[int] = mapped_column(Small)
    party_size_max: Mapped[int] = mapped_column(Small)
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_in_range"),
        CheckConstraint("slot_minutes BETWEEN 5 AND 480", name="slot_in_range"),
        CheckConstraint(
            "since_minute >= 0 AND since_minute + slot_minutes <= until_minute"
            " AND until_minute <= 1440",
            name="within_day",
        ),
        CheckConstraint("capacity BETWEEN 1 AND 500", name="capacity_in_range"),
        CheckConstraint(
            "party_size_min BETWEEN 1 AND party_size_max AND party_size_max <= 50",
            name="party_size_in_range",
        ),
        Index("ix_booking_rules_store", "store_id"),
    )


class BookingException(Base):
    """A date on which a store, or one of its queues, is booked otherwise or not at all."""

    __tablename__ = "booking_exceptions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    # None: all queues of the store.
    queue_id: Mapped[UUID | None] = mapped_column(ForeignKey("queues.id"))
    # A date of the store's calendar.
    applies_on: Mapped[date]
    # Parties per slot on that date; None: no bookings at all.
    capacity: Mapped[int | None] = mapped_column(Small)
    reason: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("store_id", "applies_on", "queue_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("capacity BETWEEN 1 AND 500", name="capacity_in_range"),
    )


class BookingSlot(Base):
    """A slot that somebody booked: the row that bookings count in, never beyond its capacity."""

    __tablename__ = "booking_slots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"))
    starts_at: Mapped[datetime]
    # Tells apart slots of one queue and time that are for parties of different sizes.
    party_size_min: Mapped[int] = mapped_column(Small)
    # What the plan says, or what was booked before the plan said less.
    capacity: Mapped[int] = mapped_column(Small)
    booked: Mapped[int] = mapped_column(Small, server_default=text("0"))

    __table_args__ = (
        UniqueConstraint("queue_id", "starts_at", "party_size_min"),
        CheckConstraint("booked >= 0 AND booked <= capacity", name="not_oversold"),
        Index("ix_booking_slots_store", "store_id", "starts_at"),
    )


class Booking(Base):
    """A promised arrival."""

    __tablename__ = "bookings"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    body_hash: Mapped[bytes]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"))
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("booking_slots.id"))
    starts_at: Mapped[datetime]
    party_size: Mapped[int] = mapped_column(Small)
    status: Mapped[BookingStatus] = mapped_column(status_column(BookingStatus))
    source: Mapped[BookingSource] = mapped_column(status_column(BookingSource))
    # What the person shows or says at the door; one of the store's live bookings has it.
    code: Mapped[str]
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    fan_id: Mapped[UUID | None] = mapped_column(ForeignKey("fans.id", ondelete="SET NULL"))
    # What the arrival became.
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))
    booked_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    # Cancelled, missed or served.
    ended_at: Mapped[datetime | None]
    # Whether the store called it off, and why.
    is_by_store: Mapped[bool] = mapped_column(server_default=text("false"))
    reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("party_size BETWEEN 1 AND 50", name="party_size_in_range"),
        CheckConstraint("code ~ '^[2-9A-HJ-NP-Z]{4,8}$'", name="code_is_plain"),
        CheckConstraint(f"({_LIVE}) = (ended_at IS NULL)", name="ended_at_a_time"),
        Index(
            "uq_bookings_live_code", "store_id", "code", unique=True, postgresql_where=text(_LIVE)
        ),
        # One booking per person, store and time.
        Index(
            "uq_bookings_live_fan",
            "store_id",
            "starts_at",
            "fan_id",
            unique=True,
            postgresql_where=text(_LIVE),
        ),
        Index(
            "uq_bookings_live_member",
            "store_id",
            "starts_at",
            "member_id",
            unique=True,
            postgresql_where=text(_LIVE),
        ),
        Index("ix_bookings_store_day", "store_id", "starts_at"),
        # What is still to come, for reminders and for those who do not.
        Index("ix_bookings_due", "starts_at", postgresql_where=text("status = 'booked'")),
        Index("ix_bookings_slot", "slot_id"),
        Index("ix_bookings_member", "member_id"),
        Index("ix_bookings_fan", "fan_id"),
        Index("ix_bookings_ticket", "ticket_id"),
    )


class BookingMove(Base):
    """What happened to a booking: who moved it, from what to what, when."""

    __tablename__ = "booking_moves"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("bookings.id"))
    # None in the first row, which says that it was booked.
    from_status: Mapped[str | None]
    to_status: Mapped[BookingStatus] = mapped_column(status_column(BookingStatus))
    # The verb: booked, rescheduled, cancelled, arrived, missed, served.
    move: Mapped[str]
    # The time from then on.
    starts_at: Mapped[datetime]
    # The caller's name for the intention, where one was given.
    request_id: Mapped[UUID | None] = mapped_column(unique=True)
    body_hash: Mapped[bytes | None]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    pad_id: Mapped[UUID | None] = mapped_column(ForeignKey("pads.id"))
    api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    reason: Mapped[str | None]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_booking_moves_booking", "booking_id", "seq"),)
