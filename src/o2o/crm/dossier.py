"""Tables of what staff know of a member beyond the card: tags, notes, relations, declared tastes.

Owner: `membership`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import RelationKind, TasteKind


class MemberTag(Base):
    """A word that staff put on a member; the same word groups many."""

    __tablename__ = "member_tags"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    added_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("char_length(tag) BETWEEN 1 AND 20", name="tag_is_short"),
        Index("ix_member_tags_found_by", "brand_id", "tag", "member_id"),
    )


class MemberNote(Base):
    """What somebody wrote about a member. Never edited, by trigger; it may be pinned."""

    __tablename__ = "member_notes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    # The client's name for its intention: posted twice, written once.
    request_id: Mapped[UUID] = mapped_column(unique=True)
    body: Mapped[str]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    written_at: Mapped[datetime]
    pinned_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("char_length(body) BETWEEN 1 AND 1000", name="body_is_short"),
        Index("ix_member_notes_member", "member_id", "written_at", "id"),
    )


class MemberRelation(Base):
    """What two members are to each other: `member_id` brought, or is family of, `other_id`."""

    __tablename__ = "member_relations"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    kind: Mapped[RelationKind] = mapped_column(status_column(RelationKind), primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    added_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("member_id <> other_id", name="two_people"),
        # Family holds both ways and is kept once, the lower id first.
        CheckConstraint("kind <> 'family' OR member_id < other_id", name="family_once"),
        Index("ix_member_relations_other", "other_id", "kind"),
        # Nobody is brought by two people.
        Index(
            "uq_member_relations_brought_once",
            "other_id",
            unique=True,
            postgresql_where=text("kind = 'brought'"),
        ),
    )


class DeclaredTaste(Base):
    """What a member told us: cannot eat, does not like, likes."""

    __tablename__ = "declared_tastes"

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    # An ingredient or a dish, in the member's words.
    word: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[TasteKind] = mapped_column(status_column(TasteKind))
    # Without a name it was the member.
    declared_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    declared_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("char_length(word) BETWEEN 1 AND 20", name="word_is_short"),)
