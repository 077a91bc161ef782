"""Tables of people who dine: fans, members and what identifies them. Owner: `membership`.

`Fan` is written by `wechat`, which sees openids first.

That the brands, tiers and stores of members and cards are there, triggers see to for all rows of a
statement at once; these columns have no foreign key (docs/adr/0011-names-by-statement.md).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import (
    CardStatus,
    ConsentPurpose,
    IdentityKind,
    MemberStatus,
    OfflineCardStatus,
    VisitVia,
)


class Fan(Base):
    """An openid in one official account; following makes a fan, not yet a member."""

    __tablename__ = "fans"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"))
    openid: Mapped[str]
    unionid: Mapped[str | None]
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"), index=True)
    is_following: Mapped[bool] = mapped_column(server_default=text("false"))
    followed_at: Mapped[datetime | None]
    unfollowed_at: Mapped[datetime | None]
    # From WeChat's profile; erased when the fan unfollows or revokes.
    nickname: Mapped[str | None]
    avatar_url: Mapped[str | None]
    scene: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("account_id", "openid"),
        Index("ix_fans_unionid", "unionid", postgresql_where=text("unionid IS NOT NULL")),
    )


class Member(Base):
    """A person who opened a brand's card and consented."""

    __tablename__ = "members"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    tier_id: Mapped[UUID]
    # Until when the tier holds, its grace not counted; None is without an end, or not set yet.
    tier_valid_until: Mapped[datetime | None]
    status: Mapped[MemberStatus] = mapped_column(
        status_column(MemberStatus), default=MemberStatus.ACTIVE
    )
    name: Mapped[str | None]
    phone: Mapped[str | None]
    # A verified phone and a real name make a member "named" (higher prepaid limit).
    phone_verified_at: Mapped[datetime | None]
    birthday: Mapped[date | None]
    home_store_id: Mapped[UUID | None]
    joined_at: Mapped[datetime]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    deleted_at: Mapped[datetime | None]
    # When the member said no to what we conclude from purchases (PIPL article 24).
    profiling_refused_at: Mapped[datetime | None]
    # Argon2id of six digits; asked for above the programme's limit.
    pay_pin_hash: Mapped[str | None]
    pay_pin_failures: Mapped[int] = mapped_column(server_default=text("0"))
    pay_pin_locked_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_members_brand_joined", "brand_id", "joined_at"),
        # By these a member is searched for: the beginning of the name, what follows its first
        # letter, any two letters of a longer one that stand together, the last digits of the phone.
        Index(
            "ix_members_name",
            "brand_id",
            literal_column("lower(name)").label("start"),
            "id",
            postgresql_ops={"start": "text_pattern_ops"},
        ),
        Index(
            "ix_members_given_name",
            "brand_id",
            literal_column("lower(substr(name, 2))").label("given"),
            "id",
            postgresql_ops={"given": "text_pattern_ops"},
        ),
        Index(
            "ix_members_name_pairs",
            text("letter_pairs(name)"),
            postgresql_using="gin",
            postgresql_where=text("char_length(name) > 3"),
        ),
        Index(
            "ix_members_phone_tail",
            "brand_id",
            literal_column("reverse(phone)").label("tail"),
            "id",
            postgresql_ops={"tail": "text_pattern_ops"},
        ),
        Index(
            "ix_members_brand_phone",
            "brand_id",
            "phone",
            postgresql_where=text("phone IS NOT NULL"),
        ),
        Index(
            "ix_members_merged_into_id",
            "merged_into_id",
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
        Index(
            "ix_members_tier_valid_until",
            "tier_valid_until",
            postgresql_where=text("tier_valid_until IS NOT NULL"),
        ),
        CheckConstraint(
            "(status = 'merged') = (merged_into_id IS NOT NULL)", name="merged_into_somebody"
        ),
        CheckConstraint(
            "(status = 'deleted') = (deleted_at IS NOT NULL)", name="deleted_at_a_time"
        ),
    )


class MemberIdentity(Base):
    """By what a member is recognised. The unique key stops two requests making two members."""

    __tablename__ = "member_identities"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), index=True)
    kind: Mapped[IdentityKind] = mapped_column(status_column(IdentityKind))
    value: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("brand_id", "kind", "value"),)


class Card(Base):
    """A member's programme card."""

    __tablename__ = "cards"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    card_no: Mapped[str] = mapped_column(unique=True)
    status: Mapped[CardStatus] = mapped_column(status_column(CardStatus), default=CardStatus.ACTIVE)
    issued_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("card_no ~ '^[0-9]{16}$'", name="card_no_is_16_digits"),
        # One usable card per member, whatever races.
        Index(
            "uq_cards_member_active",
            "member_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        Index(
            "ix_cards_number_tail",
            "brand_id",
            literal_column("reverse(card_no)").label("tail"),
            "member_id",
            postgresql_ops={"tail": "text_pattern_ops"},
        ),
    )


class OfflineCard(Base):
    """A card bought over the counter before its owner came through WeChat.

    It belongs to a member from the start: one whom nobody in WeChat has claimed yet.
    """

    __tablename__ = "offline_cards"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID]
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), index=True)
    # As printed, without spaces, upper case.
    card_no: Mapped[str]
    # Keyed hash of the code under the scratch-off; without one the card is bound at a pad only.
    code_hash: Mapped[bytes | None]
    status: Mapped[OfflineCardStatus] = mapped_column(status_column(OfflineCardStatus))
    store_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    bound_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("brand_id", "card_no"),
        CheckConstraint("card_no ~ '^[0-9A-Z]{4,32}$'", name="card_no_is_plain"),
    )


class Consent(Base):
    """A person's yes to one purpose, versioned, withdrawable."""

    __tablename__ = "consents"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    purpose: Mapped[ConsentPurpose] = mapped_column(status_column(ConsentPurpose))
    terms_version: Mapped[str]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_consents_member", "member_id"),
        Index(
            "uq_consents_in_force",
            "member_id",
            "purpose",
            "terms_version",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )


class MemberCode(Base):
    """A short-lived code on a member's phone; only its hash is kept."""

    __tablename__ = "member_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    issued_at: Mapped[datetime]
    # Sixty seconds after issue; cut to five seconds from now when a newer code is shown.
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_in_store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))

    __table_args__ = (
        Index("ix_member_codes_live", "member_id", postgresql_where=text("used_at IS NULL")),
        Index("ix_member_codes_expires_at", "expires_at"),
    )


class CounterVisit(Base):
    """What a scan opens: one member, one pad (or API key), one store, five minutes at most."""

    __tablename__ = "counter_visits"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    pad_id: Mapped[UUID | None] = mapped_column(ForeignKey("pads.id"))
    api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    # The code that opened it: one code, one visit.
    code_hash: Mapped[bytes | None] = mapped_column(unique=True)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # Held when the member cannot have come here since the last visit; the member's own yes on the
    # phone lets it go on.
    held_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    via: Mapped[VisitVia] = mapped_column(status_column(VisitVia), server_default=text("'code'"))

    __table_args__ = (
        CheckConstraint("via = 'code' OR code_hash IS NULL", name="via_code_has_one"),
        CheckConstraint("(pad_id IS NULL) <> (api_key_id IS NULL)", name="opened_by_one"),
        CheckConstraint("expires_at <= opened_at + interval '5 minutes'", name="five_minutes"),
        Index("ix_counter_visits_member", "member_id", "opened_at"),
        Index(
            "ix_counter_visits_pad",
            "pad_id",
            "opened_at",
            postgresql_where=text("pad_id IS NOT NULL"),
        ),
        # A pad serves one member at a time.
        Index(
            "uq_counter_visits_open_pad",
            "pad_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
    )
