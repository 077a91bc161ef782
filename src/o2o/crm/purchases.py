"""Tables of what members bought: the record from which tastes are read. Owner: `membership`.

Fed by imports and by the demo's history, later by ordering.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
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
