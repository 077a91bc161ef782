"""The working copy of the books for one batch: what was read under lock and what is to be written.

No SQL here. `queries.books` opens a journal, the actions decide on it, command by command in
order, and `actions.post_transfers` writes it down.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from o2o.crm.statuses import AccountKind, LotKind, Tender, TransferKind
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.errors import Fact
from o2o.kernel.ids import AccountId, LotId, MemberId, RequestId, StoreId, TransferId, new_id
from o2o.ledger.errors import AccountNotFound
from o2o.ledger.postings import (
    Counterpart,
    Done,
    Intention,
    NewLot,
    Pocket,
    Posting,
    Reverses,
)
from o2o.ledger.rules.draw import Draw, Lot, drawn_of, lots_after
from o2o.ledger.rules.returns import LotReturn

__all__ = [
    "Counterpart",
    "Done",
    "Intention",
    "Journal",
    "LotReturn",
    "NewLot",
    "Pocket",
    "Posting",
    "Reverses",
    "child_lots",
]

C = TypeVar("C", bound=Intention)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Journal:
    """The books as one batch sees them. Commands are decided one after another."""

    def __init__(
        self,
        *,
        pocket_kind: AccountKind,
        pockets: dict[tuple[UUID, AccountKind], Pocket],
        counterparts: dict[tuple[UUID, AccountKind], Counterpart],
        done: dict[RequestId, Done],
    ) -> None:
        """Take what was read: accounts by owner and kind, earlier work; name the usual pocket."""
        self.pockets = pockets
        self.postings: list[Posting] = []
        self._pocket_kind = pocket_kind
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

    def pocket(self, member_id: MemberId, kind: AccountKind | None = None) -> Pocket:
        """Return the member's account, the usual one unless told. Raises AccountNotFound."""
        pocket = self.pockets.get((member_id, kind or self._pocket_kind))
        if pocket is None:
            raise AccountNotFound(owner="member", owner_id=member_id)
        return pocket

    def is_open(self, member_id: MemberId) -> bool:
        """Whether the member's usual account is there, and not closed."""
        return (member_id, self._pocket_kind) in self.pockets

    def counterpart(self, pocket: Pocket, store_id: StoreId | None, kind: AccountKind) -> AccountId:
        """Return the store's account. Raises AccountNotFound, also for another brand's store."""
        found = self._counterparts.get((store_id, kind)) if store_id else None
        if found is None or found.brand_id != pocket.brand_id:
            raise AccountNotFound(owner="store", owner_id=store_id)
        return found.account_id

    def brand_counterpart(self, pocket: Pocket, kind: AccountKind) -> AccountId:
        """Return the account of the pocket's brand, which is opened with the brand's stores."""
        found = self._counterparts.get((pocket.brand_id, kind))
        if found is None:
            raise AccountNotFound(owner="store", owner_id=pocket.brand_id)
        return found.account_id

    def check_store(self, pocket: Pocket, store_id: StoreId | None) -> None:
        """Raise AccountNotFound unless the store, if one is named, is of the pocket's brand."""
        if store_id is not None:
            self.counterpart(pocket, store_id, AccountKind.STORE_SALES)

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
        posting = self.move(
            command, asked=asked, kind=kind, source=pocket, target=to_account_id, draws=draws
        )
        return Done(
            transfer_id=posting.transfer_id,
            asked=asked,
            amount=posting.amount,
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
        lot: NewLot,
        part: int = 0,
        tender: Tender | None = None,
    ) -> Done:
        """Move an amount into a pocket, as a lot of its own."""
        posting = self.move(
            command,
            asked=asked,
            kind=kind,
            source=from_account_id,
            target=pocket,
            lots=[lot],
            part=part,
            tender=tender,
        )
        return Done(
            transfer_id=posting.transfer_id,
            asked=asked,
            amount=lot.amount,
            principal=lot.amount if lot.kind is LotKind.PRINCIPAL else 0,
            bonus=lot.amount if lot.kind is LotKind.BONUS else 0,
            balance_after=pocket.balance,
        )

    def move(
        self,
        command: Intention,
        *,
        asked: bytes,
        kind: TransferKind,
        source: Pocket | AccountId,
        target: Pocket | AccountId,
        amount: int | None = None,
        draws: Sequence[Draw] = (),
        lots: Sequence[NewLot] = (),
        returns: Sequence[LotReturn] = (),
        part: int = 0,
        tender: Tender | None = None,
        reverses: Reverses | None = None,
        store_id: StoreId | None = None,
    ) -> Posting:
        """Move an amount: what is drawn, what is granted, or what is given back to lots.

        Only where none of them says it, `amount` does: between what is set aside and a store.
        """
        moved = amount or _sum(draws) or _sum(lots) or _sum(returns)
        _leave(source, moved, draws)
        _arrive(target, moved, now=command.now, lots=lots, returns=returns)
        of_pocket = source if isinstance(source, Pocket) else target
        assert isinstance(of_pocket, Pocket)
        posting = Posting(
            transfer_id=TransferId(new_id()),
            part=part,
            asked=asked,
            kind=kind,
            asset=of_pocket.asset,
            from_account_id=source.account_id if isinstance(source, Pocket) else source,
            to_account_id=target.account_id if isinstance(target, Pocket) else target,
            from_balance_after=source.balance if isinstance(source, Pocket) else None,
            to_balance_after=target.balance if isinstance(target, Pocket) else None,
            amount=moved,
            tender=tender,
            intention=command,
            store_id=command.store_id or store_id,
            draws=draws,
            lots=lots,
            returns=returns,
            reverses=reverses,
        )
        self.postings.append(posting)
        return posting


def child_lots(lots: Sequence[Lot], draws: Sequence[Draw]) -> list[NewLot]:
    """Return what was drawn as lots for another pocket: same kind, same age, same end, in order."""
    by_id = {lot.id: lot for lot in lots}
    # Lots of one age are spent in the order of their ids, in the new pocket as in the old.
    ids = sorted(new_id() for _ in draws)
    return [
        NewLot(
            id=LotId(lot_id),
            kind=one.kind,
            amount=one.amount,
            granted_at=by_id[one.lot_id].granted_at,
            expires_at=by_id[one.lot_id].expires_at,
            parent_lot_id=one.lot_id,
        )
        for lot_id, one in zip(ids, draws, strict=True)
    ]


def _sum(parts: Sequence[Draw] | Sequence[NewLot] | Sequence[LotReturn]) -> int:
    return sum(part.amount for part in parts)


def _leave(source: Pocket | AccountId, amount: int, draws: Sequence[Draw]) -> None:
    if not isinstance(source, Pocket):
        return
    source.is_touched = True
    source.balance -= amount
    source.lots = lots_after(source.lots, draws)
    assert source.balance >= 0


def _arrive(
    target: Pocket | AccountId,
    amount: int,
    *,
    now: datetime,
    lots: Sequence[NewLot],
    returns: Sequence[LotReturn],
) -> None:
    if not isinstance(target, Pocket):
        return
    target.is_touched = True
    target.balance += amount
    held = {lot.id: lot for lot in target.lots}
    for one in returns:
        left = held[one.lot.id].remaining if one.lot.id in held else 0
        held[one.lot.id] = msgspec.structs.replace(one.lot, remaining=left + one.amount)
    for lot in lots:
        held[lot.id] = Lot(
            id=lot.id,
            kind=lot.kind,
            remaining=lot.amount,
            expires_at=lot.expires_at,
            granted_at=lot.granted_at or now,
        )
    target.lots = sorted(held.values(), key=lambda lot: (lot.granted_at or _BEFORE_ALL, lot.id))
