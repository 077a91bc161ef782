"""Tables of what a programme's rules did: points earned, gifts, reminders, tiers changed.

Owner: `membership`.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import TierMoveReason


class PointsEarning(Base):
    """What one charge earned, and how much of it went back when the charge was reversed."""

    __tablename__ = "points_earnings"

    # The charge in the books.
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfers.id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), index=True)
    # What was left of the charge when it earned, in fen.
    base_fen: Mapped[int]
    # For the money, and for being the first charge of the day.
    spend_points: Mapped[int]
    visit_points: Mapped[int]
    # The store's business day whose visit was rewarded; given up when the charge is reversed.
    visited_on: Mapped[date | None]
    points_transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))
    # Gone back already, and still to be kept from what comes next: they had been spent.
    taken_back: Mapped[int] = mapped_column(server_default=text("0"))
    owed: Mapped[int] = mapped_column(server_default=text("0"))
    earned_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "base_fen >= 0 AND spend_points >= 0 AND visit_points >= 0", name="nothing_negative"
        ),
        CheckConstraint(
            "taken_back >= 0 AND owed >= 0 AND taken_back + owed <= spend_points + visit_points",
            name="no_more_than_earned",
        ),
        Index(
            "uq_points_earnings_visit",
            "member_id",
            "visited_on",
            unique=True,
            postgresql_where=text("visited_on IS NOT NULL"),
        ),
        Index("ix_points_earnings_owed", "member_id", postgresql_where=text("owed > 0")),
    )


class BirthdayGift(Base):
    """A year's birthday points were given: once a year, whatever the birthday is changed to."""

    __tablename__ = "birthday_gifts"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Small, primary_key=True)
    points: Mapped[int]
    given_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("points > 0", name="points_positive"),)


class PointsReminder(Base):
    """A member was told that points end: once for each end and each distance to it."""

    __tablename__ = "points_reminders"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(primary_key=True)
    days_before: Mapped[int] = mapped_column(Small, primary_key=True)
    points: Mapped[int]
    told_at: Mapped[datetime]


class TierMove(Base):
    """A member's tier changed or was renewed, and why. Append only, by trigger."""

    __tablename__ = "tier_moves"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    from_tier_id: Mapped[UUID] = mapped_column(ForeignKey("tiers.id"))
    to_tier_id: Mapped[UUID] = mapped_column(ForeignKey("tiers.id"))
    reason: Mapped[TierMoveReason] = mapped_column(status_column(TierMoveReason))
    # Until when the new one holds; None is without an end.
    valid_until: Mapped[datetime | None]
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    note: Mapped[str | None]
    # Of what a person did: the intention behind it.
    request_id: Mapped[UUID | None] = mapped_column(unique=True)
    moved_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "from_tier_id <> to_tier_id OR reason IN ('renewed', 'paid', 'by_hand')",
            name="goes_somewhere",
        ),
        CheckConstraint(
            "reason <> 'by_hand' OR (staff_id IS NOT NULL AND note IS NOT NULL)",
            name="by_hand_by_somebody",
        ),
        Index("ix_tier_moves_member", "member_id", "moved_at"),
    )
