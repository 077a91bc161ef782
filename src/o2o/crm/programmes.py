"""Tables of what a marketer decides about a programme: its rules, what is sold onto cards.

Owner: `membership`; a brand gets its row when `stores` makes it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base


class Programme(Base):
    """A brand's rules of stored value and points. Made with the brand, changed in the console."""

    __tablename__ = "programmes"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    # How an amount is shared between principal and bonus; a DrawOrder of the ledger's rules.
    draw_order: Mapped[str] = mapped_column(server_default="proportional")
    # Points for 100 fen spent from the card, before the tier's multiplier.
    points_per_yuan: Mapped[int] = mapped_column(server_default=text("1"))
    # How long points live, in months; None for ever.
    points_valid_months: Mapped[int | None] = mapped_column(server_default=text("12"))
    # Points for opening the card, and for the first charge of a business day.
    joining_points: Mapped[int] = mapped_column(server_default=text("0"))
    visit_points: Mapped[int] = mapped_column(server_default=text("0"))
    # Up to this a charge needs no pay PIN, in fen; the sum of a business day likewise.
    no_pin_fen_max: Mapped[int] = mapped_column(server_default=text("20000"))
    no_pin_daily_fen_max: Mapped[int] = mapped_column(server_default=text("100000"))
    # From then on every member may have the whole principal back.
    ended_at: Mapped[datetime | None]
    # Counts changes of rules, tiers and packages: who saves what somebody else changed is told.
    version: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "draw_order IN ('proportional', 'principal_first')", name="draw_order_is_known"
        ),
        CheckConstraint("points_per_yuan BETWEEN 0 AND 1000", name="points_per_yuan_in_range"),
        CheckConstraint(
            "joining_points BETWEEN 0 AND 100000 AND visit_points BETWEEN 0 AND 100000",
            name="event_points_in_range",
        ),
        CheckConstraint("points_valid_months BETWEEN 1 AND 120", name="points_live_a_while"),
        CheckConstraint(
            "0 <= no_pin_fen_max AND no_pin_fen_max <= no_pin_daily_fen_max",
            name="no_pin_limits_in_order",
        ),
    )


class TopUpPackage(Base):
    """An offer at the counter: pay so much, get so much on top."""

    __tablename__ = "top_up_packages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), index=True)
    name: Mapped[str]
    principal_fen: Mapped[int]
    bonus_fen: Mapped[int]
    bonus_points: Mapped[int] = mapped_column(server_default=text("0"))
    # None is every store of the brand.
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    position: Mapped[int] = mapped_column(server_default=text("0"))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    # The version of the same offer before this one.
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("top_up_packages.id"), unique=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("principal_fen BETWEEN 1 AND 500000", name="principal_in_range"),
        CheckConstraint("bonus_fen BETWEEN 0 AND principal_fen", name="bonus_in_range"),
        CheckConstraint("bonus_points BETWEEN 0 AND 1000000", name="bonus_points_in_range"),
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
    )
