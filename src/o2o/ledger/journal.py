"""The working copy of the books for one batch: what was read under lock and what is to be written.

No SQL here. `queries.books` opens a journal, the actions decide on it, command by command in
order, and `actions.post_transfers` writes it down.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from o2o.crm.statuses import AccountKind, Asset, LotKind, Tender, TransferKind
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.errors import Fact
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
    new_id,
)
from o2o.ledger.errors import AccountNotFound
from o2o.ledger.rules.draw import Draw, Lot, drawn_of, lots_after


class Intention(msgspec.Struct, frozen=True, kw_only=True):
    """What every command on a member's money or points says."""

    request_id: RequestId
    member_id: MemberId
    store_id: StoreId
    now: datetime
    reason: str | None = None
    visit_id: VisitId | None = None
    staff_id: StaffId | None = None
    api_key_id: APIKeyId | None = None


class Pocket(msgspec.Struct, kw_only=True):
    """A member's account, locked; balance and lots change as the batch goes on."""

    account_id: AccountId
    brand_id: BrandId
    balance: int
    balance_read: int
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
    balance_after: int
    is_replay: bool = False


class NewLot(msgspec.Struct, frozen=True, kw_only=True):
    """A grant to be written with the transfer that brings it."""

    id: LotId
    kind: LotKind
    expires_at: datetime | None = None


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer to be written, with its two entries and its draws or its lot."""

    transfer_id: TransferId
    part: int
    asked: bytes
    kind: TransferKind
    asset: Asset
    from_account_id: AccountId
    to_account_id: AccountId
    # Balance after, on the side of the member.
    from_balance_after: int | None
    to_balance_after: int | None
    amount: int
    tender: Tender | None
    intention: Intention
    draws: Sequence[Draw] = ()
    lot: NewLot | None = None


C = TypeVar("C", bound=Intention)


class Journal:
    """The books as one batch sees them. Commands are decided one after another."""

    def __init__(
        self,
        *,
        asset: Asset,
        pockets: dict[UUID, Pocket],
        counterparts: dict[tuple[UUID, AccountKind], Counterpart],
        done: dict[RequestId, Done],
    ) -> None:
        """Take what was read: pockets by member, counterparts by owner and kind, earlier work."""
        self.asset = asset
        self.pockets = pockets
        self.postings: list[Posting] = []
        self._counterparts = counterparts
        self._done = done

    def decide_each(
        self,
        commands: Sequence[C],
        *,
        asked: Callable[[C], bytes],
        decide: Callable[["Journal", C, bytes], Done],
    ) -> list[Done | Fact]:
        """Decide commands in order. `decide` checks everything before it moves anything."""
        return [self._attempt(command, asked(command), decide) for command in commands]

    def _attempt(
        self, command: C, asked: bytes, decide: Callable[["Journal", C, bytes], Done]
    ) -> Done | Fact:
        earlier = self._done.get(command.request_id)
        if earlier is not None:
            if earlier.asked != asked:
                return RequestBodyDiffers(request_id=str(command.request_id))
            return msgspec.structs.replace(earlier, is_replay=True)
        try:
            done = decide(self, command, asked)
        except Fact as fact:
            return fact
        self._done[command.request_id] = done
        return done

    def pocket(self, member_id: MemberId) -> Pocket:
        """Return the member's account. Raises AccountNotFound."""
        pocket = self.pockets.get(member_id)
        if pocket is None:
            raise AccountNotFound(owner="member", owner_id=member_id)
        return pocket

    def counterpart(self, pocket: Pocket, store_id: StoreId, kind: AccountKind) -> AccountId:
        """Return the store's account. Raises AccountNotFound, also for another brand's store."""
        found = self._counterparts.get((store_id, kind))
        if found is None or found.brand_id != pocket.brand_id:
            raise AccountNotFound(owner="store", owner_id=store_id)
        return found.account_id

    def brand_counterpart(self, pocket: Pocket, kind: AccountKind) -> AccountId:
        """Return the account of the pocket's brand, which is opened with the brand's stores."""
        found = self._counterparts.get((pocket.brand_id, kind))
        if found is None:
            raise AccountNotFound(owner="store", owner_id=pocket.brand_id)
        return found.account_id

    def take(
        self,
        command: Intention,
        *,
        asked: bytes,
        kind: TransferKind,
        pocket: Pocket,
        to_account_id: AccountId,
        draws: Sequence[Draw],
    ) -> Done:
        """Move what the draws sum to out of a pocket."""
        amount = sum(one.amount for one in draws)
        pocket.is_touched = True
        pocket.balance -= amount
        pocket.lots = lots_after(pocket.lots, draws)
        assert pocket.balance >= 0
        posting = Posting(
            transfer_id=TransferId(new_id()),
            part=0,
            asked=asked,
            kind=kind,
            asset=self.asset,
            from_account_id=pocket.account_id,
            to_account_id=to_account_id,
            from_balance_after=pocket.balance,
            to_balance_after=None,
            amount=amount,
            tender=None,
            intention=command,
            draws=draws,
        )
        self.postings.append(posting)
        return Done(
            transfer_id=posting.transfer_id,
            asked=asked,
            amount=amount,
            principal=drawn_of(draws, LotKind.PRINCIPAL),
            bonus=drawn_of(draws, LotKind.BONUS),
            balance_after=pocket.balance,
        )

    def put(
        self,
        command: Intention,
        *,
        asked: bytes,
        kind: TransferKind,
        pocket: Pocket,
        from_account_id: AccountId,
        amount: int,
        lot: NewLot,
        part: int = 0,
        tender: Tender | None = None,
    ) -> Done:
        """Move an amount into a pocket, as a lot of its own."""
        pocket.is_touched = True
        pocket.balance += amount
        pocket.lots.append(
            Lot(id=lot.id, kind=lot.kind, remaining=amount, expires_at=lot.expires_at)
        )
        posting = Posting(
            transfer_id=TransferId(new_id()),
            part=part,
            asked=asked,
            kind=kind,
            asset=self.asset,
            from_account_id=from_account_id,
            to_account_id=pocket.account_id,
            from_balance_after=None,
            to_balance_after=pocket.balance,
            amount=amount,
            tender=tender,
            intention=command,
            lot=lot,
        )
        self.postings.append(posting)
        return Done(
            transfer_id=posting.transfer_id,
            asked=asked,
            amount=amount,
            principal=amount if lot.kind is LotKind.PRINCIPAL else 0,
            bonus=amount if lot.kind is LotKind.BONUS else 0,
            balance_after=pocket.balance,
        )
