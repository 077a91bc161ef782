"""What is set aside on cards: the account for it, and the holds with the lots they drew on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset, HoldStatus
from o2o.infra.database import Tx
from o2o.kernel.ids import AccountId, MemberId, StoreId, TransferId, new_id
from o2o.ledger.journal import Journal, Pocket
from o2o.ledger.queries.books import lot_of, pocket_of
from o2o.ledger.rules.draw import DrawOrder, Lot

_HELD_ACCOUNTS = text(
    "SELECT id, brand_id, owner_id, kind, balance FROM ledger_accounts"
    " WHERE owner_id = ANY(CAST(:member_ids AS uuid[])) AND kind = 'member_held'"
)

_HOLDS = text(
    "SELECT h.id, a.owner_id AS member_id, h.amount, h.status, h.draw_order, h.posted,"
    " h.posted_id, h.released_id, h.expires_at, t.store_id, s.id AS sales_account_id"
    " FROM ledger_holds h JOIN ledger_accounts a ON a.id = h.account_id"
    " JOIN ledger_transfers t ON t.id = h.id"
    " LEFT JOIN ledger_accounts s ON s.owner_id = t.store_id AND s.kind = 'store_sales'"
    " WHERE h.id = ANY(CAST(:hold_ids AS uuid[]))"
)

# `remaining` is what the hold still has, or has sold for, of the lot.
_HOLD_LOTS = text(
    "SELECT h.id AS hold_id, l.id, l.kind, l.granted_at, l.expires_at,"
    " d.amount - coalesce(r.amount, 0) AS remaining"
    " FROM ledger_holds h JOIN ledger_lot_draws d ON d.transfer_id = h.id"
    " JOIN ledger_lots l ON l.id = d.lot_id"
    " LEFT JOIN ledger_lot_returns r ON r.transfer_id = h.released_id AND r.lot_id = d.lot_id"
    " WHERE h.id = ANY(CAST(:hold_ids AS uuid[])) ORDER BY h.id, l.granted_at, l.id"
)

_DUE = text(
    "SELECT h.id, a.owner_id AS member_id FROM ledger_holds h"
    " JOIN ledger_accounts a ON a.id = h.account_id"
    " WHERE h.status = 'pending' AND h.expires_at <= :now ORDER BY h.expires_at LIMIT :limit"
)

_COUNT_OPEN = text(
    "SELECT count(*) FROM ledger_holds h JOIN ledger_accounts a ON a.id = h.account_id"
    " WHERE a.owner_id = ANY(CAST(:member_ids AS uuid[])) AND h.status = 'pending'"
)

_OPEN_HOLDS = text(
    "SELECT h.id, h.amount, h.created_at, h.expires_at, t.store_id FROM ledger_holds h"
    " JOIN ledger_accounts a ON a.id = h.account_id JOIN ledger_transfers t ON t.id = h.id"
    " WHERE a.owner_id = :member_id AND h.status = 'pending' ORDER BY h.created_at LIMIT :limit"
)


class HoldRow(msgspec.Struct, kw_only=True):
    """A hold as it stands; changes as the batch goes on."""

    id: TransferId
    member_id: MemberId
    store_id: StoreId
    sales_account_id: AccountId
    amount: int
    # How it stands, with what this batch has decided.
    standing: HoldStatus
    order: DrawOrder
    expires_at: datetime
    posted: int
    posted_id: TransferId | None
    released_id: TransferId | None
    # What it drew and has not given back.
    lots: list[Lot] = msgspec.field(default_factory=list)


class OpenHold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold that is neither posted nor released."""

    hold_id: TransferId
    amount_fen: int
    store_id: StoreId
    created_at: datetime
    expires_at: datetime


async def read_held_pockets(tx: Tx, journal: Journal) -> list[Pocket]:
    """Put the accounts for holds of all locked members into the journal.

    Members who never had a hold get one that is only in memory; these are returned, to be written
    if something is set aside in them. The lock on the stored value keeps others from opening it.
    """
    cards = [
        pocket
        for (_, kind), pocket in journal.pockets.items()
        if kind is AccountKind.MEMBER_STORED_VALUE
    ]
    rows = await tx.execute(_HELD_ACCOUNTS, {"member_ids": [card.member_id for card in cards]})
    for row in rows:
        journal.pockets[row.owner_id, AccountKind.MEMBER_HELD] = pocket_of(row)
    unopened = []
    for card in cards:
        key: tuple[UUID, AccountKind] = (card.member_id, AccountKind.MEMBER_HELD)
        if key not in journal.pockets:
            journal.pockets[key] = Pocket(
                account_id=AccountId(new_id()),
                brand_id=card.brand_id,
                member_id=card.member_id,
                asset=Asset.CNY_FEN,
                balance=0,
                balance_read=0,
            )
            unopened.append(journal.pockets[key])
    return unopened


async def read_holds(tx: Tx, hold_ids: Sequence[TransferId]) -> dict[TransferId, HoldRow]:
    """Return these holds; to be asked under the lock of the members' stored value."""
    parameters = {"hold_ids": list(hold_ids)}
    holds = {TransferId(row.id): _hold(row) for row in await tx.execute(_HOLDS, parameters)}
    for row in await tx.execute(_HOLD_LOTS, parameters):
        holds[row.hold_id].lots.append(lot_of(row))
    return holds


async def list_due_holds(tx: Tx, *, now: datetime, limit: int) -> list[tuple[TransferId, MemberId]]:
    """Return holds whose time is over, the longest over first, without locking them."""
    rows = await tx.execute(_DUE, {"now": now, "limit": limit})
    return [(TransferId(row.id), MemberId(row.member_id)) for row in rows]


async def count_open_holds(tx: Tx, member_ids: Sequence[MemberId]) -> int:
    """Return how many holds of these members are open."""
    return int(await tx.scalar(_COUNT_OPEN, {"member_ids": list(member_ids)}) or 0)


async def list_open_holds(tx: Tx, member_id: MemberId, *, limit: int = 50) -> list[OpenHold]:
    """Return a member's open holds, oldest first."""
    rows = await tx.execute(_OPEN_HOLDS, {"member_id": member_id, "limit": limit})
    return [
        OpenHold(
            hold_id=TransferId(row.id),
            amount_fen=row.amount,
            store_id=StoreId(row.store_id),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def _hold(row: Any) -> HoldRow:
    return HoldRow(
        id=TransferId(row.id),
        member_id=MemberId(row.member_id),
        store_id=StoreId(row.store_id),
        sales_account_id=AccountId(row.sales_account_id),
        amount=row.amount,
        standing=HoldStatus(row.status),
        order=DrawOrder(row.draw_order),
        expires_at=row.expires_at,
        posted=row.posted,
        posted_id=row.posted_id,
        released_id=row.released_id,
    )
