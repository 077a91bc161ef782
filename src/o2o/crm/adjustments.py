"""Tables of what one person proposes and another decides: corrections, the end of a programme.

Owner: `membership`. That proposer and decider are two people is a condition of the tables.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import Asset, LotKind, ProposalStatus

DECIDED_ONCE = "(status = 'proposed') = (decided_at IS NULL)"
# Whoever approves or rejects is another person; whoever withdraws is the proposer.
DECIDED_BY_ANOTHER = (
    "CASE WHEN status IN ('approved', 'rejected')"
    " THEN decided_by IS NOT NULL AND decided_by <> proposed_by"
    " WHEN status = 'withdrawn' THEN decided_by = proposed_by"
    " ELSE decided_by IS NULL END"
)
REASON_IS_GIVEN = "length(btrim(reason)) BETWEEN 4 AND 200"


class Adjustment(Base):
    """A correction of a member's stored value or points, from its proposal to its decision."""

    __tablename__ = "adjustments"

    # The proposal's request id, under which the books know the transfer as well.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), index=True)
    # Where it happened; None is no store in particular.
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))
    asset: Mapped[Asset] = mapped_column(status_column(Asset))
    # Fen or points; what is taken is negative.
    delta: Mapped[int]
    lot_kind: Mapped[LotKind] = mapped_column(status_column(LotKind))
    reason: Mapped[str]
    status: Mapped[ProposalStatus] = mapped_column(
        status_column(ProposalStatus), default=ProposalStatus.PROPOSED
    )
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))

    __table_args__ = (
        CheckConstraint("delta <> 0", name="delta_not_zero"),
        CheckConstraint("(asset = 'points') = (lot_kind = 'points')", name="lot_fits_asset"),
        CheckConstraint(REASON_IS_GIVEN, name="reason_is_given"),
        CheckConstraint(DECIDED_ONCE, name="decided_at_a_time"),
        CheckConstraint(DECIDED_BY_ANOTHER, name="decided_by_another"),
        CheckConstraint(
            "(status = 'approved') = (transfer_id IS NOT NULL)", name="approved_means_moved"
        ),
        Index("ix_adjustments_brand", "brand_id", "proposed_at"),
        Index("ix_adjustments_proposed_by", "proposed_by", "proposed_at"),
        Index("ix_adjustments_open", "expires_at", postgresql_where=text("status = 'proposed'")),
    )


class ProgrammeEnding(Base):
    """A proposal to end a brand's programme: no more top-ups, everybody may have the money back."""

    __tablename__ = "programme_endings"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    reason: Mapped[str]
    status: Mapped[ProposalStatus] = mapped_column(
        status_column(ProposalStatus), default=ProposalStatus.PROPOSED
    )
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(REASON_IS_GIVEN, name="reason_is_given"),
        CheckConstraint(DECIDED_ONCE, name="decided_at_a_time"),
        CheckConstraint(DECIDED_BY_ANOTHER, name="decided_by_another"),
        # One open proposal, and one end.
        Index(
            "uq_programme_endings_live",
            "brand_id",
            unique=True,
            postgresql_where=text("status IN ('proposed', 'approved')"),
        ),
    )
