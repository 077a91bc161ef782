"""Opening the books for a batch: lock the members' accounts, then read what they allow."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset, LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import AccountId, BrandId, LotId, MemberId, RequestId, TransferId
from o2o.ledger.journal import Counterpart, Done, Intention, Journal, Pocket
from o2o.ledger.rules.draw import Lot

# One statement for both sides of the books. Members' accounts are locked in the order of their
# ids, which is one order for everybody; FOR NO KEY UPDATE is the lock that UPDATE itself takes and
# leaves foreign keys alone. The other side is never locked: it keeps no balance. What is set aside
# for holds is not locked by itself: whoever changes it has the lock of that member's stored value.
# Whoever waited for a member to be deleted finds the accounts closed, which is: not there.
_LOCK_ACCOUNTS = text(
    "WITH pockets AS ("
    " SELECT id, brand_id, owner_id, kind, balance FROM ledger_accounts"
    " WHERE owner_id = ANY(CAST(:member_ids AS uuid[]))"
    " AND kind = ANY(CAST(:pocket_kinds AS text[])) AND closed_at IS NULL"
    " ORDER BY id FOR NO KEY UPDATE)"
    " SELECT id, brand_id, owner_id, kind, balance FROM pockets"
    " UNION ALL"
    " SELECT id, brand_id, owner_id, kind, balance FROM ledger_accounts"
    " WHERE kind = ANY(CAST(:counterpart_kinds AS text[])) AND owner_id IN ("
    " SELECT unnest(CAST(:store_ids AS uuid[])) UNION SELECT brand_id FROM pockets)"
)

# A sweep does not wait for members who are being served; it comes round again.
_LOCK_FREE_ACCOUNTS = text(
    _LOCK_ACCOUNTS.text.replace("FOR NO KEY UPDATE", "FOR NO KEY UPDATE SKIP LOCKED")
)

# Told about is the pocket of the member who was named: the one the amount left, if it left one.
# Its balance is that of its latest entry up to the transfer, because a hold that is posted in full
# changes only what was set aside.
_FIND_DONE = text(
    "SELECT t.request_id, t.id, t.body_hash, t.kind, t.asset, t.amount, CASE"
    " WHEN t.asset = 'points' THEN 0"
    " WHEN t.kind IN ('top_up_bonus', 'opening_bonus') THEN t.amount"
    " ELSE greatest("
    " (SELECT sum(d.amount) FROM ledger_lot_draws d JOIN ledger_lots l ON l.id = d.lot_id"
    " WHERE d.transfer_id = t.id AND l.kind = 'bonus'),"
    " (SELECT sum(r.amount) FROM ledger_lot_returns r JOIN ledger_lots l ON l.id = r.lot_id"
    " WHERE r.transfer_id = t.id AND l.kind = 'bonus'),"
    " (SELECT sum(l.granted) FROM ledger_lots l"
    " WHERE l.origin_transfer_id = t.id AND l.kind = 'bonus'), 0) END::bigint AS bonus,"
    " (SELECT e.balance_after FROM ledger_entries e WHERE e.account_id = p.account_id"
    " AND e.seq <= (SELECT max(m.seq) FROM ledger_entries m WHERE m.transfer_id = t.id)"
    " ORDER BY e.seq DESC LIMIT 1) AS balance_after"
    " FROM ledger_transfers t"
    " JOIN ledger_accounts f ON f.id = t.from_account_id"
    " JOIN ledger_accounts o ON o.id = t.to_account_id"
    " CROSS JOIN LATERAL (SELECT CASE"
    " WHEN f.kind IN ('member_stored_value', 'member_points') AND t.kind <> 'merged' THEN f.id"
    " WHEN o.kind IN ('member_stored_value', 'member_points') THEN o.id"
    " ELSE (SELECT a.id FROM ledger_accounts a"
    " WHERE a.owner_id = f.owner_id AND a.kind = 'member_stored_value') END) AS p(account_id)"
    " WHERE t.request_id = ANY(CAST(:request_ids AS uuid[]))"
    " ORDER BY t.request_id, t.part"
)

_GOES_ON = {TransferKind.MERGED.value, TransferKind.UNMERGED.value}

_UNSPENT_LOTS = text(
    "SELECT account_id, id, kind, remaining, granted_at, expires_at FROM ledger_lots"
    " WHERE account_id = ANY(CAST(:account_ids AS uuid[])) AND remaining > 0"
    " ORDER BY account_id, granted_at, id"
)


async def lock_books(
    tx: Tx,
    commands: Sequence[Intention],
    *,
    pocket_kind: AccountKind,
    counterpart_kinds: Sequence[AccountKind],
    with_lots: bool,
    more_pocket_kinds: Sequence[AccountKind] = (),
    more_member_ids: Collection[MemberId] = (),
    is_waiting: bool = True,
) -> Journal:
    """Lock the accounts that commands touch and read the rest after the locks are held.

    Members who are locked by somebody else are left out when `is_waiting` is off.
    """
    rows = await tx.execute(
        _LOCK_ACCOUNTS if is_waiting else _LOCK_FREE_ACCOUNTS,
        {
            "member_ids": sorted({*(command.member_id for command in commands), *more_member_ids}),
            "pocket_kinds": [pocket_kind.value, *(kind.value for kind in more_pocket_kinds)],
            "counterpart_kinds": [kind.value for kind in counterpart_kinds],
            "store_ids": sorted({c.store_id for c in commands if c.store_id is not None}),
        },
    )
    pockets: dict[tuple[UUID, AccountKind], Pocket] = {}
    counterparts: dict[tuple[UUID, AccountKind], Counterpart] = {}
    for row in rows:
        if row.balance is None:
            counterparts[row.owner_id, AccountKind(row.kind)] = Counterpart(row.id, row.brand_id)
        else:
            pockets[row.owner_id, AccountKind(row.kind)] = pocket_of(row)
    # Only now: whoever held these accounts before us has committed, and is seen from here on.
    done = await find_done(tx, [command.request_id for command in commands])
    if with_lots:
        await _read_lots(tx, list(pockets.values()))
    return Journal(pocket_kind=pocket_kind, pockets=pockets, counterparts=counterparts, done=done)


def pocket_of(row: Any) -> Pocket:
    """Return a member's account as it was read."""
    is_points = row.kind == AccountKind.MEMBER_POINTS.value
    return Pocket(
        account_id=AccountId(row.id),
        brand_id=BrandId(row.brand_id),
        member_id=MemberId(row.owner_id),
        asset=Asset.POINTS if is_points else Asset.CNY_FEN,
        balance=row.balance,
        balance_read=row.balance,
    )


async def find_done(tx: Tx, request_ids: Sequence[RequestId]) -> dict[RequestId, Done]:
    """Return what these intentions did to the books, those that did anything."""
    rows = await tx.execute(_FIND_DONE, {"request_ids": sorted(set(request_ids))})
    parts: dict[RequestId, list[Any]] = defaultdict(list)
    for row in rows:
        parts[RequestId(row.request_id)].append(row)
    return {request_id: _done(of_one) for request_id, of_one in parts.items()}


def _done(parts: Sequence[Any]) -> Done:
    first, last = parts[0], parts[-1]
    # What is given back to a member who became part of another, or who holds it no more since
    # they came apart, goes on: counted once.
    told = [row for row in parts if row.kind == first.kind or row.kind not in _GOES_ON]
    points = sum(row.amount for row in told if row.asset == Asset.POINTS.value)
    amount = sum(row.amount for row in told)
    bonus = sum(row.bonus for row in told)
    return Done(
        transfer_id=TransferId(first.id),
        asked=bytes(first.body_hash),
        amount=amount,
        principal=amount - points - bonus,
        bonus=bonus,
        balance_after=last.balance_after,
        points=points,
    )


async def _read_lots(tx: Tx, pockets: Sequence[Pocket]) -> None:
    of_account = {pocket.account_id: pocket for pocket in pockets}
    rows = await tx.execute(_UNSPENT_LOTS, {"account_ids": list(of_account)})
    for row in rows:
        of_account[AccountId(row.account_id)].lots.append(lot_of(row))


def lot_of(row: Any) -> Lot:
    """Return a lot as it was read."""
    return Lot(
        id=LotId(row.id),
        kind=LotKind(row.kind),
        remaining=row.remaining,
        expires_at=row.expires_at,
        granted_at=row.granted_at,
    )
