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


class StoredValueHeld(Event, frozen=True, kw_only=True):
    """An amount was set aside on a card; `transfer_id` is the hold's id."""

    name: ClassVar[str] = "stored_value.held"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    # What the card holds beside what is set aside.
    balance_fen: int
    expires_at: datetime
    at: datetime


class StoredValueReleased(Event, frozen=True, kw_only=True):
    """What was set aside for a hold went back onto the card: it was voided or has expired."""

    name: ClassVar[str] = "stored_value.released"

    transfer_id: TransferId
    hold_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    balance_fen: int
    at: datetime


class StoredValueDebitReversed(Event, frozen=True, kw_only=True):
    """A debit, or a part of it, went back onto the card."""

    name: ClassVar[str] = "stored_value.debit_reversed"

    transfer_id: TransferId
    # The debit; `reversed_fen` of its `debited_fen` have been taken back by now.
    reverses_id: TransferId
    debited_fen: int
    reversed_fen: int
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    balance_fen: int
    at: datetime


class StoredValueTopUpReversed(Event, frozen=True, kw_only=True):
    """A top-up that was a mistake left the card again, its bonus with it."""

    name: ClassVar[str] = "stored_value.top_up_reversed"

    transfer_id: TransferId
    # The transfer of the top-up's principal.
    reverses_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    balance_fen: int
    at: datetime


class StoredValueRefunded(Event, frozen=True, kw_only=True):
    """The member got `principal_fen` back; `bonus_fen` that came with it was given up."""

    name: ClassVar[str] = "stored_value.refunded"

    transfer_id: TransferId
    # None when the whole card was refunded.
    top_up_id: TransferId | None
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    balance_fen: int
    at: datetime


class StoredValuePassedOn(Event, frozen=True, kw_only=True):
    """A member gave stored value to another."""

    name: ClassVar[str] = "stored_value.passed_on"

    transfer_id: TransferId
    member_id: MemberId
    to_member_id: MemberId
    brand_id: BrandId
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    balance_fen: int
    at: datetime


class StoredValueAdjusted(Event, frozen=True, kw_only=True):
    """Stored value was corrected, up or down."""

    name: ClassVar[str] = "stored_value.adjusted"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    # Signed.
    delta_fen: int
    balance_fen: int
    reason: str | None
    at: datetime


class PointsReversed(Event, frozen=True, kw_only=True):
    """Points that were earned were taken back, or points that were spent given back.

    `points` is signed: what the member lost is negative.
    """

    name: ClassVar[str] = "points.reversed"

    transfer_id: TransferId
    reverses_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    store_id: StoreId
    points: int
    points_balance: int
    at: datetime


class PointsExpired(Event, frozen=True, kw_only=True):
    """What was left of a lot of points ended."""

    name: ClassVar[str] = "points.expired"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    points: int
    points_balance: int
    at: datetime


class PointsDonated(Event, frozen=True, kw_only=True):
    """A member gave points to the brand's good cause."""

    name: ClassVar[str] = "points.donated"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    points: int
    points_balance: int
    at: datetime


class PointsAdjusted(Event, frozen=True, kw_only=True):
    """Points were corrected, up or down."""

    name: ClassVar[str] = "points.adjusted"

    transfer_id: TransferId
    member_id: MemberId
    brand_id: BrandId
    # Signed.
    delta: int
    points_balance: int
    reason: str | None
    at: datetime


class PointsStillDue(Event, frozen=True, kw_only=True):
    """More points are over than one transaction expired; `at` is when they were looked for."""

    name: ClassVar[str] = "points.still_due"

    at: datetime


class HoldsStillDue(Event, frozen=True, kw_only=True):
    """More holds are over than one transaction gave back; `at` is when they were looked for."""

    name: ClassVar[str] = "holds.still_due"

    at: datetime
