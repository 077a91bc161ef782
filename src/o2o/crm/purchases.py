"""Tables of what members bought: the record from which tastes are read. Owner: `membership`.

Fed by imports and by the demo's history, later by ordering.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, Small


class Purchase(Base):
    """One bill of a member in a store."""

    __tablename__ = "purchases"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    # Which system told of it, and by what number it is known there: told twice, kept once.
    source: Mapped[str]
    external_id: Mapped[str]
    total_fen: Mapped[int]
    bought_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("brand_id", "source", "external_id"),
        CheckConstraint("total_fen >= 0", name="total_not_negative"),
        Index("ix_purchases_member", "member_id", "bought_at"),
        Index("ix_purchases_store", "store_id", "bought_at"),
        Index("ix_purchases_brand", "brand_id", "bought_at"),
    )


class PurchaseLine(Base):
    """One dish or service of a bill."""

    __tablename__ = "purchase_lines"

    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Small, primary_key=True)
    # What the store's menu or point of sale calls it; the name without it where there is none.
    item_code: Mapped[str]
    item_name: Mapped[str]
    quantity: Mapped[int] = mapped_column(Small)
    amount_fen: Mapped[int]

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        Index("ix_purchase_lines_item", "item_code"),
    )


class PurchaseItem(Base):
    """What is known of a dish or service that appears on bills."""

    __tablename__ = "purchase_items"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    # What is in it, in words that members use; None where nobody said.
    contains: Mapped[list[str] | None]
    # Rice, tea and fees are on every bill and worth no recommendation.
    is_recommended: Mapped[bool] = mapped_column(server_default=text("true"))
    updated_at: Mapped[datetime]


class ItemAffinity(Base):
    """How often the members who take one item take another too. Made anew by a scheduled job."""

    __tablename__ = "item_affinities"

    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(primary_key=True)
    other_code: Mapped[str] = mapped_column(primary_key=True)
    # How many members take both.
    members_both: Mapped[int]
    # Cosine of the two items' members, in basis points, damped where few members speak.
    affinity_bp: Mapped[int]


class ItemPopularity(Base):
    """How much of an item a store sold lately. Made anew by a scheduled job."""

    __tablename__ = "item_popularities"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(primary_key=True)
    # Bills of the last thirty days that have it.
    bills: Mapped[int]
    # Bills of ninety days in hundredths, each halving every thirty days.
    weight: Mapped[int]

    __table_args__ = (Index("ix_item_popularities_rank", "store_id", "weight"),)
