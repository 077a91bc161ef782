"""Tables of the group: brands, tiers, official accounts, stores. Owner: `stores`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import BrandKind, CallbackMode


class Brand(Base):
    """The owner of a member programme."""

    __tablename__ = "brands"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[BrandKind] = mapped_column(status_column(BrandKind))
    # Six-digit hex of the brand's hue; tints are computed from it.
    hue: Mapped[str]
    # Which text of the membership terms a new consent refers to.
    terms_version: Mapped[str]
    # First digits of the brand's card numbers.
    card_prefix: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("hue ~ '^#[0-9a-f]{6}$'", name="hue_is_hex"),)


class Tier(Base):
    """A level of a brand's programme, derived from rules."""

    __tablename__ = "tiers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    code: Mapped[str]
    name: Mapped[str]
    rank: Mapped[int]
    # Spend that leads here, in fen over twelve months; None where spend alone never does.
    spend_from_fen: Mapped[int | None]
    # Business days with a charge, over twelve months, that lead here as well.
    visits_from: Mapped[int | None]
    # What it costs to be here for once, in fen; None where it is not for sale.
    price_fen: Mapped[int | None]
    # Ten thousandths: what the tier takes off a bill, and by how much it multiplies points.
    discount_bp: Mapped[int] = mapped_column(server_default=text("0"))
    points_multiplier_bp: Mapped[int] = mapped_column(server_default=text("10000"))
    birthday_points: Mapped[int] = mapped_column(server_default=text("0"))
    # How long the tier holds once reached, in months; None without an end.
    valid_months: Mapped[int | None] = mapped_column(server_default=text("12"))
    # How long after that it is still kept, so that it can be earned again.
    grace_days: Mapped[int] = mapped_column(server_default=text("30"))

    __table_args__ = (
        UniqueConstraint("brand_id", "code"),
        UniqueConstraint("brand_id", "rank"),
        CheckConstraint("spend_from_fen >= 0", name="spend_not_negative"),
        CheckConstraint("visits_from BETWEEN 1 AND 1000", name="visits_in_range"),
        CheckConstraint("price_fen BETWEEN 1 AND 500000", name="price_in_range"),
        CheckConstraint("discount_bp BETWEEN 0 AND 9000", name="discount_in_range"),
        CheckConstraint(
            "points_multiplier_bp BETWEEN 10000 AND 100000", name="points_multiplier_in_range"
        ),
        CheckConstraint("birthday_points BETWEEN 0 AND 100000", name="birthday_points_in_range"),
        CheckConstraint("valid_months BETWEEN 1 AND 120", name="valid_a_while"),
        CheckConstraint("grace_days BETWEEN 0 AND 365", name="grace_in_range"),
    )


class OfficialAccount(Base):
    """One appid: a WeChat service account with fans of its own. Credentials are encrypted."""

    __tablename__ = "official_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    slug: Mapped[str] = mapped_column(unique=True)
    appid: Mapped[str] = mapped_column(unique=True)
    # The `gh_…` name that WeChat puts into ToUserName.
    original_id: Mapped[str]
    name: Mapped[str]
    # What this account calls its places in chat.
    place_word: Mapped[str]
    mode: Mapped[CallbackMode] = mapped_column(status_column(CallbackMode))
    secret_sealed: Mapped[bytes]
    token_sealed: Mapped[bytes]
    aes_key_sealed: Mapped[bytes | None]
    # Which datum WeChat's coordinates have; not in any official text, so it can be set.
    message_datum: Mapped[str] = mapped_column(default="gcj02")
    event_datum: Mapped[str] = mapped_column(default="wgs84")
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,31}$'", name="slug_is_plain"),
        CheckConstraint("mode = 'plain' OR aes_key_sealed IS NOT NULL", name="aes_key_present"),
    )


class Store(Base):
    """One place that serves: a restaurant or a hall."""

    __tablename__ = "stores"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"))
    code: Mapped[str]
    name: Mapped[str]
    city: Mapped[str]
    district: Mapped[str]
    address: Mapped[str]
    # GCJ-02, the datum of Chinese maps and of WeChat's location messages.
    latitude: Mapped[float]
    longitude: Mapped[float]
    phone: Mapped[str]
    # {"mon": [["10:30", "14:00"], ["16:30", "02:00"]], …}; an end before its start is next day.
    hours: Mapped[dict[str, Any]]
    # Dates with other hours: {"2026-02-17": []} is a day off. What is over is forgotten.
    hours_exceptions: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    timezone: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("brand_id", "code"),)
