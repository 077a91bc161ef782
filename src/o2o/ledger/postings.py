"""What a journal is made of: commands, pockets, lots that come and go back, transfers to write."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.crm.statuses import Asset, LotKind, Tender, TransferKind
from o2o.kernel.ids import (
    AccountId,
    APIKeyId,
    BrandId,
    LotId,
    MemberId,
    RequestId,
    StaffId,
    StoreId,
    TransferId,
    VisitId,
)
from o2o.ledger.rules.draw import Draw, Lot
from o2o.ledger.rules.returns import LotReturn


class Intention(msgspec.Struct, frozen=True, kw_only=True):
    """What every command on a member's money or points says."""

    request_id: RequestId
    member_id: MemberId
    # None where no store takes part; each command says whether it may be.
    store_id: StoreId | None
    now: datetime
    reason: str | None = None
    visit_id: VisitId | None = None
    staff_id: StaffId | None = None
    api_key_id: APIKeyId | None = None


class Pocket(msgspec.Struct, kw_only=True):
    """A member's account, locked; balance and lots change as the batch goes on."""

    account_id: AccountId
    brand_id: BrandId
    member_id: MemberId
    asset: Asset
    balance: int
    balance_read: int
    # Oldest first; what is set aside for holds has none.
    lots: list[Lot] = msgspec.field(default_factory=list)
    is_touched: bool = False


class Counterpart(msgspec.Struct, frozen=True):
    """The other side of the books: an account of a store or a brand, not locked."""

    account_id: AccountId
    brand_id: BrandId


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What an intention did to the books; for points, principal and bonus are 0."""

    transfer_id: TransferId
    asked: bytes
    amount: int
    principal: int
    bonus: int
    # What is there right after, in the pocket that is told about.
    balance_after: int
    # The part of `amount` that is points, where one intention moves both.
    points: int = 0
    is_replay: bool = False


class NewLot(msgspec.Struct, frozen=True, kw_only=True):
    """A grant to be written with the transfer that brings it."""

    id: LotId
    kind: LotKind
    amount: int
    # None is the moment of the transfer.
    granted_at: datetime | None = None
    expires_at: datetime | None = None
    parent_lot_id: LotId | None = None


class Reverses(msgspec.Struct, frozen=True, kw_only=True):
    """The transfer that is taken back, and how much it moved in all."""

    transfer_id: TransferId
    amount: int


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer to be written, with its two entries and what it does to lots."""

    transfer_id: TransferId
    part: int
    asked: bytes
    kind: TransferKind
    asset: Asset
    from_account_id: AccountId
    to_account_id: AccountId
    # Balances after, on the sides that keep one.
    from_balance_after: int | None
    to_balance_after: int | None
    amount: int
    tender: Tender | None
    intention: Intention
    store_id: StoreId | None
    draws: Sequence[Draw] = ()
    lots: Sequence[NewLot] = ()
    returns: Sequence[LotReturn] = ()
    reverses: Reverses | None = None
