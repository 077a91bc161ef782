"""Opening the books for a batch: lock the members' accounts, then read what they allow."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset, LotKind
from o2o.infra.database import Tx
from o2o.kernel.ids import AccountId, BrandId, LotId, RequestId, TransferId
from o2o.ledger.journal import Counterpart, Done, Intention, Journal, Pocket
from o2o.ledger.rules.draw import Lot

# One statement for both sides of the books. Members' accounts are locked in the order of their
# ids, which is one order for everybody; FOR NO KEY UPDATE is the lock that UPDATE itself takes and
# leaves foreign keys alone. The other side is never locked: it keeps no balance.
_LOCK_ACCOUNTS = text(
    "WITH pockets AS ("
    " SELECT id, brand_id, owner_id, kind, balance FROM ledger_accounts"
    " WHERE owner_id = ANY(CAST(:member_ids AS uuid[])) AND kind = :pocket_kind"
    " ORDER BY id FOR NO KEY UPDATE)"
    " SELECT id, brand_id, owner_id, kind, balance FROM pockets"
    " UNION ALL"
    " SELECT id, brand_id, owner_id, kind, balance FROM ledger_accounts"
    " WHERE kind = ANY(CAST(:counterpart_kinds AS text[])) AND owner_id IN ("
    " SELECT unnest(CAST(:store_ids AS uuid[])) UNION SELECT brand_id FROM pockets)"
)

# The member's side of a transfer is the entry that keeps a balance. A bonus that was drawn is told
# by its draws, a bonus that was given by the kind of the transfer.
_FIND_DONE = text(
    "SELECT t.request_id, t.id, t.body_hash, t.kind, t.amount, e.balance_after,"
    " coalesce((SELECT sum(d.amount) FROM ledger_lot_draws d JOIN ledger_lots l ON l.id = d.lot_id"
    " WHERE d.transfer_id = t.id AND l.kind = 'bonus'), 0)::bigint AS bonus_drawn"
    " FROM ledger_transfers t"
    " JOIN ledger_entries e ON e.transfer_id = t.id AND e.balance_after IS NOT NULL"
    " WHERE t.request_id = ANY(CAST(:request_ids AS uuid[]))"
    " ORDER BY t.request_id, t.part"
)

_UNSPENT_LOTS = text(
    "SELECT account_id, id, kind, remaining, expires_at FROM ledger_lots"
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
) -> Journal:
    """Lock the accounts that commands touch and read the rest after the locks are held."""
    rows = await tx.execute(
        _LOCK_ACCOUNTS,
        {
            "member_ids": sorted({command.member_id for command in commands}),
            "pocket_kind": pocket_kind.value,
            "counterpart_kinds": [kind.value for kind in counterpart_kinds],
            "store_ids": sorted({command.store_id for command in commands}),
        },
    )
    pockets: dict[UUID, Pocket] = {}
    counterparts: dict[tuple[UUID, AccountKind], Counterpart] = {}
    for row in rows:
        if row.kind == pocket_kind.value:
            pockets[row.owner_id] = Pocket(
                account_id=AccountId(row.id),
                brand_id=BrandId(row.brand_id),
                balance=row.balance,
                balance_read=row.balance,
            )
        else:
            counterparts[row.owner_id, AccountKind(row.kind)] = Counterpart(row.id, row.brand_id)
    # Only now: whoever held these accounts before us has committed, and is seen from here on.
    done = await find_done(tx, [command.request_id for command in commands])
    if with_lots:
        await _read_lots(tx, list(pockets.values()))
    asset = Asset.POINTS if pocket_kind is AccountKind.MEMBER_POINTS else Asset.CNY_FEN
    return Journal(asset=asset, pockets=pockets, counterparts=counterparts, done=done)


async def find_done(tx: Tx, request_ids: Sequence[RequestId]) -> dict[RequestId, Done]:
    """Return what these intentions did to the books, those that did anything."""
    rows = await tx.execute(_FIND_DONE, {"request_ids": sorted(set(request_ids))})
    parts: dict[RequestId, list[Any]] = defaultdict(list)
    for row in rows:
        parts[RequestId(row.request_id)].append(row)
    return {request_id: _done(of_one) for request_id, of_one in parts.items()}


def _done(parts: Sequence[Any]) -> Done:
    first, last = parts[0], parts[-1]
    amount = sum(row.amount for row in parts)
    bonus = sum(row.amount if row.kind == "top_up_bonus" else row.bonus_drawn for row in parts)
    is_money = first.kind in {"top_up", "debit"}
    return Done(
        transfer_id=TransferId(first.id),
        asked=bytes(first.body_hash),
        amount=amount,
        principal=amount - bonus if is_money else 0,
        bonus=bonus,
        balance_after=last.balance_after,
    )


async def _read_lots(tx: Tx, pockets: Sequence[Pocket]) -> None:
    of_account = {pocket.account_id: pocket for pocket in pockets}
    rows = await tx.execute(_UNSPENT_LOTS, {"account_ids": list(of_account)})
    for row in rows:
        of_account[AccountId(row.account_id)].lots.append(
            Lot(
                id=LotId(row.id),
                kind=LotKind(row.kind),
                remaining=row.remaining,
                expires_at=row.expires_at,
            )
        )
