"""Tables of the counter's own books: shifts and days at the till, what the member said yes to,
what was undone, what was printed. Owner: `membership`.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import ChargeAnswerStatus, ChargeAnswerVia, ShiftStatus


class Shift(Base):
    """A stretch of work at one pad's till, closed with a cash count that the next one confirms."""

    __tablename__ = "shifts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    pad_id: Mapped[UUID] = mapped_column(ForeignKey("pads.id"))
    # The store's business day, which may last past midnight.
    business_on: Mapped[date]
    status: Mapped[ShiftStatus] = mapped_column(status_column(ShiftStatus))
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    opened_at: Mapped[datetime]
    # The cash that was in the drawer already.
    float_fen: Mapped[int] = mapped_column(server_default=text("0"))
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    ended_at: Mapped[datetime | None]
    # What the books say should be in the drawer, and what was counted.
    expected_fen: Mapped[int | None]
    counted_fen: Mapped[int | None]
    # {"10000": 3, …}: how many of each note or coin, where they were counted one by one.
    denominations: Mapped[dict[str, Any] | None]
    difference_reason: Mapped[str | None]
    # Handed in; the rest stays in the drawer for whoever comes next.
    removed_fen: Mapped[int] = mapped_column(server_default=text("0"))
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    confirmed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "(status = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)"
            " AND (ended_at IS NULL) = (counted_fen IS NULL)"
            " AND (ended_at IS NULL) = (expected_fen IS NULL)",
            name="counted_when_it_ends",
        ),
        CheckConstraint(
            "(status = 'confirmed') = (confirmed_at IS NOT NULL)"
            " AND (confirmed_at IS NULL) = (confirmed_by IS NULL)",
            name="confirmed_at_a_time",
        ),
        CheckConstraint(
            "counted_fen = expected_fen OR length(trim(coalesce(difference_reason, ''))) > 0",
            name="difference_has_a_reason",
        ),
        CheckConstraint("float_fen >= 0 AND counted_fen >= 0", name="cash_not_negative"),
        CheckConstraint("removed_fen BETWEEN 0 AND coalesce(counted_fen, 0)", name="removed_is_in"),
        # A pad has one till: the next shift begins when the one before is confirmed.
        Index(
            "uq_shifts_live_pad",
            "pad_id",
            unique=True,
            postgresql_where=text("status <> 'confirmed'"),
        ),
        Index("ix_shifts_day", "store_id", "business_on"),
        Index("ix_shifts_pad", "pad_id", "opened_at"),
    )


class ShiftMovement(Base):
    """That a transfer was counted in a shift: in one and no other, whenever it was committed."""

    __tablename__ = "shift_movements"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shifts.id"), index=True)


class StoreDay(Base):
    """A business day of a store that its manager closed: no shift is opened in it any more."""

    __tablename__ = "store_days"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    business_on: Mapped[date]
    closed_by: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    closed_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("store_id", "business_on"),)


class ChargeAnswer(Base):
    """A charge that the member is asked about, by its request, and what the answer was."""

    __tablename__ = "charge_answers"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("counter_visits.id"), index=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    amount_fen: Mapped[int]
    status: Mapped[ChargeAnswerStatus] = mapped_column(status_column(ChargeAnswerStatus))
    asked_at: Mapped[datetime]
    # With the visit.
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_via: Mapped[ChargeAnswerVia | None] = mapped_column(status_column(ChargeAnswerVia))

    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "(status = 'asked') = (answered_at IS NULL)"
            " AND (answered_at IS NULL) = (answered_via IS NULL)",
            name="answered_at_a_time",
        ),
        Index("ix_charge_answers_member", "member_id", "asked_at"),
    )


class CounterUndo(Base):
    """A charge or top-up taken back at a pad. One transfer is undone once."""

    __tablename__ = "counter_undos"

    # Under which the books hold the reversal.
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), unique=True)
    pad_id: Mapped[UUID] = mapped_column(ForeignKey("pads.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    # The manager whose PIN let it pass, where one had to.
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    reason: Mapped[str]
    undone_at: Mapped[datetime]

    __table_args__ = (Index("ix_counter_undos_pad", "pad_id", "undone_at"),)


class ReceiptPrint(Base):
    """How often a receipt was printed: from the second time on it says so."""

    __tablename__ = "receipt_prints"

    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    prints: Mapped[int] = mapped_column(Small)
    printed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("prints > 0", name="printed_once"),)
