"""Open accounts: a member's pockets, and the other side of the books for stores and brands."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, MemberId, StoreId, new_id

_MEMBER_KINDS = {
    AccountKind.MEMBER_STORED_VALUE: Asset.CNY_FEN,
    AccountKind.MEMBER_POINTS: Asset.POINTS,
}
_STORE_KINDS = {
    AccountKind.STORE_TAKINGS: Asset.CNY_FEN,
    AccountKind.STORE_BONUS: Asset.CNY_FEN,
    AccountKind.STORE_SALES: Asset.CNY_FEN,
    AccountKind.STORE_OPENING: Asset.CNY_FEN,
}
_BRAND_KINDS = {
    AccountKind.BRAND_ADJUSTMENTS: Asset.CNY_FEN,
    AccountKind.BRAND_POINTS_ISSUED: Asset.POINTS,
    AccountKind.BRAND_POINTS_SPENT: Asset.POINTS,
    AccountKind.BRAND_POINTS_EXPIRED: Asset.POINTS,
    AccountKind.BRAND_POINTS_DONATED: Asset.POINTS,
}

# In the order of owners, so that two transactions that open the same accounts wait, not deadlock.
_INSERT = text(
    "INSERT INTO ledger_accounts (id, brand_id, kind, asset, owner_id, balance, created_at)"
    " SELECT id, :brand_id, kind, asset, owner_id, CAST(:balance AS bigint), :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:assets AS text[]),"
    " CAST(:owner_ids AS uuid[])) AS a(id, kind, asset, owner_id)"
    " ORDER BY owner_id, kind"
    " ON CONFLICT (owner_id, kind) DO NOTHING"
)


async def open_member_accounts(
    tx: Tx, *, brand_id: BrandId, member_ids: Sequence[MemberId], now: datetime
) -> None:
    """Open stored value and points at zero; what is open stays as it is."""
    await _open(tx, _MEMBER_KINDS, brand_id=brand_id, owner_ids=member_ids, balance=0, now=now)


async def open_store_accounts(
    tx: Tx, *, brand_id: BrandId, store_ids: Sequence[StoreId], now: datetime
) -> None:
    """Open takings, bonus and sales of stores and the points accounts of their brand.

    What is open stays as it is. Money moves only in stores whose accounts are open.
    """
    await _open(tx, _STORE_KINDS, brand_id=brand_id, owner_ids=store_ids, balance=None, now=now)
    await _open(tx, _BRAND_KINDS, brand_id=brand_id, owner_ids=[brand_id], balance=None, now=now)


async def _open(
    tx: Tx,
    kinds: dict[AccountKind, Asset],
    *,
    brand_id: BrandId,
    owner_ids: Sequence[UUID],
    balance: int | None,
    now: datetime,
) -> None:
    accounts = [(owner_id, kind) for owner_id in owner_ids for kind in kinds]
    if not accounts:
        return
    await tx.execute(
        _INSERT,
        {
            "brand_id": brand_id,
            "balance": balance,
            "now": now,
            "ids": [new_id() for _ in accounts],
            "kinds": [kind.value for _, kind in accounts],
            "assets": [kinds[kind].value for _, kind in accounts],
            "owner_ids": [owner_id for owner_id, _ in accounts],
        },
    )
