"""Tables of how people prove who they are, and of members who became one. Owner: `membership`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small, status_column
from o2o.crm.statuses import VerificationPurpose


class PhoneVerification(Base):
    """Six digits sent to a phone on behalf of a fan: five minutes, five tries, once.

    Rows are kept for two days, since the limits on sending are counted over them.
    """

    __tablename__ = "phone_verifications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fan_id: Mapped[UUID] = mapped_column(ForeignKey("fans.id"))
    purpose: Mapped[VerificationPurpose] = mapped_column(status_column(VerificationPurpose))
    phone: Mapped[str]
    # Keyed hash; the digits themselves stand nowhere but in the sealed message that is sent.
    code_hash: Mapped[bytes]
    # From which address it was asked for, hashed.
    address_hash: Mapped[bytes]
    # Which terms the person agreed to when asking, unless a member already.
    terms_version: Mapped[str | None]
    tries: Mapped[int] = mapped_column(Small, server_default=text("0"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # The right digits came in; for ten minutes the fan may act on it.
    proved_at: Mapped[datetime | None]
    # It was acted on, or a newer one took its place.
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("tries BETWEEN 0 AND 5", name="five_tries"),
        CheckConstraint("expires_at <= created_at + interval '5 minutes'", name="five_minutes"),
        CheckConstraint("phone ~ '^1[3-9][0-9]{9}$'", name="phone_is_plain"),
        # One at a time for one purpose, whatever races.
        Index(
            "uq_phone_verifications_live",
            "fan_id",
            "purpose",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_phone_verifications_phone", "phone", "created_at"),
        Index("ix_phone_verifications_fan", "fan_id", "created_at"),
        Index("ix_phone_verifications_address", "address_hash", "created_at"),
        Index("ix_phone_verifications_created_at", "created_at"),
    )


class MemberMerge(Base):
    """One member became one with another; for seven days it can be undone."""

    __tablename__ = "member_merges"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(unique=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    from_member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    into_member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    merged_at: Mapped[datetime]
    merged_by_kind: Mapped[str]
    merged_by_id: Mapped[UUID | None]
    # What both were like before, as far as it changed (`actions/merge_profiles.py`).
    snapshot: Mapped[dict[str, Any]]
    undo_request_id: Mapped[UUID | None] = mapped_column(unique=True)
    undone_at: Mapped[datetime | None]
    undone_by_kind: Mapped[str | None]
    undone_by_id: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint("from_member_id <> into_member_id", name="two_members"),
        CheckConstraint(
            "(undone_at IS NULL) = (undo_request_id IS NULL)", name="undone_by_request"
        ),
        Index("ix_member_merges_into", "into_member_id", "merged_at"),
        # A member is part of another one once at a time.
        Index(
            "uq_member_merges_in_force",
            "from_member_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
    )


class MemberMergeMove(Base):
    """A row that went along with a merge, so that exactly it can go back."""

    __tablename__ = "member_merge_moves"

    merge_id: Mapped[UUID] = mapped_column(ForeignKey("member_merges.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
