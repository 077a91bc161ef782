"""Tables of what members ask for about their own money and data. Owner: `membership`.

Refunds they asked for, money offered to another member, copies of everything known about them.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import ExportStatus, PassOnStatus, RefundPayout, RefundStatus


class RefundRequest(Base):
    """A member's wish to have principal back; the money moves when somebody pays it out."""

    __tablename__ = "refund_requests"

    # The intention of whoever asked; the payout in the books has a request id of its own.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    # The top-up that is taken back; None is everything on the card.
    top_up_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))
    # The store that sold it; of the latest top-up where all is asked for.
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    payout: Mapped[RefundPayout] = mapped_column(status_column(RefundPayout))
    # Asked for within seven days of the top-up, or after the programme's end: not to be refused.
    is_by_right: Mapped[bool]
    # What the calculator said when it was asked for; the payout computes anew.
    quoted_fen: Mapped[int]
    # To whom the bank transfer goes, encrypted; erased when the request ends.
    payee_sealed: Mapped[bytes | None]
    status: Mapped[RefundStatus] = mapped_column(status_column(RefundStatus))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    # Why it was refused, as told to the member.
    refusal: Mapped[str | None]
    transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))

    __table_args__ = (
        CheckConstraint("quoted_fen > 0", name="quoted_positive"),
        CheckConstraint("(status = 'asked') = (ended_at IS NULL)", name="ended_at_a_time"),
        CheckConstraint("(status = 'paid') = (transfer_id IS NOT NULL)", name="paid_means_moved"),
        CheckConstraint("(status = 'refused') = (refusal IS NOT NULL)", name="refused_with_reason"),
        CheckConstraint("status <> 'refused' OR NOT is_by_right", name="rights_are_not_refused"),
        CheckConstraint(
            "payee_sealed IS NULL OR (payout = 'bank' AND status = 'asked')",
            name="payee_while_needed",
        ),
        # One wish at a time for a top-up, and for the whole card.
        Index(
            "uq_refund_requests_open",
            "member_id",
            "top_up_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("status = 'asked'"),
        ),
        Index(
            "ix_refund_requests_due",
            "brand_id",
            "asked_at",
            postgresql_where=text("status = 'asked'"),
        ),
        Index("ix_refund_requests_member", "member_id", "asked_at"),
    )


class PassOnOffer(Base):
    """Stored value offered to another member, set aside until it is accepted or comes back."""

    __tablename__ = "pass_on_offers"

    # The intention of whoever offers.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    from_member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    # None until somebody takes the offer by its link.
    to_member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    # Keyed hash of what the link carries; None for an offer to one member.
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    amount_fen: Mapped[int]
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_holds.id"), unique=True)
    # A few words to the receiver; erased when either of the two is deleted.
    message: Mapped[str | None]
    status: Mapped[PassOnStatus] = mapped_column(status_column(PassOnStatus))
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfers.id"))

    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("from_member_id <> to_member_id", name="two_members"),
        CheckConstraint(
            "to_member_id IS NOT NULL OR token_hash IS NOT NULL OR status <> 'offered'",
            name="for_somebody",
        ),
        CheckConstraint("(status = 'offered') = (ended_at IS NULL)", name="ended_at_a_time"),
        CheckConstraint(
            "(status = 'accepted') = (transfer_id IS NOT NULL)", name="accepted_means_moved"
        ),
        Index("ix_pass_on_offers_from", "from_member_id", "offered_at"),
        Index("ix_pass_on_offers_to", "to_member_id", "offered_at"),
        Index("ix_pass_on_offers_due", "expires_at", postgresql_where=text("status = 'offered'")),
    )


class DataExport(Base):
    """A copy of everything known about a member, made on request, fetched once within a day."""

    __tablename__ = "data_exports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    # Where it was asked for, and in which language it is written.
    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"))
    language: Mapped[str]
    status: Mapped[ExportStatus] = mapped_column(status_column(ExportStatus))
    # The ZIP, encrypted; gone once it was fetched or its time is over.
    content_sealed: Mapped[bytes | None]
    size_bytes: Mapped[int | None]
    # Keyed hash of what the one-time link carries; made when the member proves who asks.
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)
    requested_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "(status = 'ready') = (content_sealed IS NOT NULL)", name="content_while_ready"
        ),
        CheckConstraint("token_hash IS NULL OR status = 'ready'", name="link_while_ready"),
        # One under way or waiting at a time.
        Index(
            "uq_data_exports_open",
            "member_id",
            unique=True,
            postgresql_where=text("status IN ('requested', 'ready')"),
        ),
    )
