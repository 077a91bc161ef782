"""What the ledger tells the other domains, through the outbox, after the commit."""

from datetime import datetime
from typing import ClassVar

from o2o.kernel.events import Event
from o2o.kernel.ids import BrandId, MemberId, StoreId, TransferId


class StoredValueDebited(Event, frozen=True, kw_only=True):
    """A member paid with the card: `amount_fen` = `principal_fen` + `bonus_fen` left it."""

    name: ClassVar[str] = "stored_value.debited"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    # What the card held right after.
    balance_fen: int
    at: datetime


class StoredValueToppedUp(Event, frozen=True, kw_only=True):
    """Money came onto a card: `amount_fen` = `principal_fen` paid + `bonus_fen` given."""

    name: ClassVar[str] = "stored_value.topped_up"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    # What the card held right after.
    balance_fen: int
    at: datetime


class PointsGranted(Event, frozen=True, kw_only=True):
    """A member got points; `points_balance` is what there was right after."""

    name: ClassVar[str] = "points.granted"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    points: int
    points_balance: int
    at: datetime


class PointsSpent(Event, frozen=True, kw_only=True):
    """A member gave points for something; `points_balance` is what there was right after."""

    name: ClassVar[str] = "points.spent"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    points: int
    points_balance: int
    at: datetime
