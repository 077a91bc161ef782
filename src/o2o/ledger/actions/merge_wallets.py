"""Merge wallets: all that one member holds becomes another's, and may come apart again by origin.

Everything moves as child lots that keep kind, age and end, so that nothing is lost by it and
what has not been spent since can go back to the very lots it came from.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.crm.statuses import AccountKind, Asset, TransferKind
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers, body_hash
from o2o.kernel.ids import LotId, MemberId, RequestId, StaffId
from o2o.ledger.actions.post_transfers import post_transfers
from o2o.ledger.errors import AccountNotFound, HoldsOpen, PassedOnToSelf
from o2o.ledger.journal import Done, Intention, Journal, LotReturn, child_lots
from o2o.ledger.queries.books import find_done, lock_books
from o2o.ledger.queries.holds import count_open_holds
from o2o.ledger.queries.mergers import list_merged_lots
from o2o.ledger.rules.draw import Draw, Lot

__all__ = ["WalletsMoved", "merge_wallets", "unmerge_wallets"]

_KINDS = (AccountKind.MEMBER_STORED_VALUE, AccountKind.MEMBER_POINTS)


class WalletsMoved(msgspec.Struct, frozen=True, kw_only=True):
    """What went from one member to the other; of a repeated request, what did the first time."""

    principal_fen: int
    bonus_fen: int
    points: int
    is_replay: bool


async def merge_wallets(
    tx: Tx,
    *,
    request_id: RequestId,
    from_member_id: MemberId,
    into_member_id: MemberId,
    now: datetime,
    staff_id: StaffId | None = None,
) -> WalletsMoved:
    """Move all stored value and points of `from_member_id` into the pockets of the other.

    The limit of a prepaid card does not stand in the way: nobody paid anything in. Raises
    HoldsOpen, AccountNotFound (also for members of two brands), RequestBodyDiffers.
    """
    command = _intention(request_id, from_member_id, now=now, staff_id=staff_id)
    asked = body_hash("merge_wallets", from_member_id, into_member_id)
    journal = await _lock_both(tx, command, into_member_id)
    earlier = await _earlier(tx, request_id, asked)
    if earlier is not None:
        return earlier
    _check_two_of_a_brand(journal, from_member_id, into_member_id)
    await _check_no_holds(tx, from_member_id)
    for part, kind in enumerate(_KINDS):
        source = journal.pocket(from_member_id, kind)
        draws = [_all_of(lot) for lot in source.lots]
        if draws:
            journal.move(
                command,
                asked=asked,
                kind=TransferKind.MERGED,
                source=source,
                target=journal.pocket(into_member_id, kind),
                draws=draws,
                lots=child_lots(source.lots, draws),
                part=part,
            )
    return await _post(tx, journal)


async def unmerge_wallets(
    tx: Tx,
    *,
    request_id: RequestId,
    from_member_id: MemberId,
    into_member_id: MemberId,
    now: datetime,
    staff_id: StaffId | None = None,
) -> WalletsMoved:
    """Give back to `from_member_id` what came from them and is unspent in the other's pockets.

    Raises HoldsOpen, because what is set aside may be theirs, AccountNotFound, RequestBodyDiffers.
    """
    command = _intention(request_id, into_member_id, now=now, staff_id=staff_id)
    asked = body_hash("unmerge_wallets", from_member_id, into_member_id)
    journal = await _lock_both(tx, command, from_member_id)
    earlier = await _earlier(tx, request_id, asked)
    if earlier is not None:
        return earlier
    _check_two_of_a_brand(journal, from_member_id, into_member_id)
    await _check_no_holds(tx, into_member_id)
    homes = await list_merged_lots(
        tx,
        from_ids=[journal.pocket(from_member_id, kind).account_id for kind in _KINDS],
        into_ids=[journal.pocket(into_member_id, kind).account_id for kind in _KINDS],
    )
    home_of = {one.lot_id: one.home for one in homes}
    for part, kind in enumerate(_KINDS):
        source = journal.pocket(into_member_id, kind)
        going = [lot for lot in source.lots if lot.id in home_of]
        if going:
            journal.move(
                command,
                asked=asked,
                kind=TransferKind.UNMERGED,
                source=source,
                target=journal.pocket(from_member_id, kind),
                draws=[_all_of(lot) for lot in going],
                returns=_home(going, home_of),
                part=part,
            )
    return await _post(tx, journal)


def _intention(
    request_id: RequestId, member_id: MemberId, *, now: datetime, staff_id: StaffId | None
) -> Intention:
    return Intention(
        request_id=request_id, member_id=member_id, store_id=None, now=now, staff_id=staff_id
    )


async def _lock_both(tx: Tx, command: Intention, other_id: MemberId) -> Journal:
    return await lock_books(
        tx,
        [command],
        pocket_kind=_KINDS[0],
        more_pocket_kinds=_KINDS[1:],
        counterpart_kinds=[],
        with_lots=True,
        more_member_ids=[other_id],
    )


async def _earlier(tx: Tx, request_id: RequestId, asked: bytes) -> WalletsMoved | None:
    done = (await find_done(tx, [request_id])).get(request_id)
    if done is None:
        return None
    if done.asked != asked:
        raise RequestBodyDiffers(request_id=str(request_id))
    return _moved(done)


def _moved(done: Done) -> WalletsMoved:
    return WalletsMoved(
        principal_fen=done.principal, bonus_fen=done.bonus, points=done.points, is_replay=True
    )


def _check_two_of_a_brand(
    journal: Journal, from_member_id: MemberId, into_member_id: MemberId
) -> None:
    if from_member_id == into_member_id:
        raise PassedOnToSelf
    pockets = [
        journal.pocket(member_id, kind)
        for member_id in (from_member_id, into_member_id)
        for kind in _KINDS
    ]
    if len({pocket.brand_id for pocket in pockets}) > 1:
        raise AccountNotFound(owner="member", owner_id=into_member_id)


async def _check_no_holds(tx: Tx, member_id: MemberId) -> None:
    holds = await count_open_holds(tx, [member_id])
    if holds:
        raise HoldsOpen(holds=holds)


async def _post(tx: Tx, journal: Journal) -> WalletsMoved:
    await post_transfers(tx, journal)
    money = [one for one in journal.postings if one.asset is Asset.CNY_FEN]
    draws = [draw for posting in money for draw in posting.draws]
    bonus = sum(one.amount for one in draws if one.kind.value == "bonus")
    return WalletsMoved(
        principal_fen=sum(one.amount for one in draws) - bonus,
        bonus_fen=bonus,
        points=sum(one.amount for one in journal.postings if one.asset is Asset.POINTS),
        is_replay=False,
    )


def _all_of(lot: Lot) -> Draw:
    return Draw(lot_id=lot.id, kind=lot.kind, amount=lot.remaining)


def _home(going: Sequence[Lot], home_of: dict[LotId, Lot]) -> list[LotReturn]:
    amounts: dict[LotId, int] = defaultdict(int)
    homes: dict[LotId, Lot] = {}
    for lot in going:
        home = home_of[lot.id]
        homes[home.id] = home
        amounts[home.id] += lot.remaining
    return [LotReturn(lot=homes[lot_id], amount=amount) for lot_id, amount in amounts.items()]
