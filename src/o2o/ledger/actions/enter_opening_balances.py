"""Enter opening balances: open the accounts of many members at once with what they held before.

One statement for all of them. It does what opening accounts and moving money into them does, but
nobody can be at these accounts yet, so nothing is locked, read or compared first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.idempotency import body_hash
from o2o.kernel.ids import BrandId, MemberId, RequestId, StaffId, StoreId, new_id_bytes
from o2o.ledger.errors import AccountNotFound
from o2o.ledger.rules.limits import POINTS_MAX, check_amount

# Of each member two accounts, and three transfers with their lots.
_IDS_EACH = 8


class OpeningBalance(NamedTuple):
    """What a member's card held, in fen, and points, in any combination; granted then."""

    request_id: RequestId
    member_id: MemberId
    store_id: StoreId
    principal_fen: int
    bonus_fen: int
    points: int
    granted_at: datetime


def _id_at(place: int) -> str:
    """Cut an id of the n-th member from one string of bytes: as an array they cost more."""
    start = f"CAST(o.n - 1 AS integer) * {16 * _IDS_EACH} + {16 * place + 1}"
    return f"CAST(encode(substring(CAST(:ids AS bytea) FROM {start} FOR 16), 'hex') AS uuid)"


# One SELECT for each kind of transfer and side of it: a list of VALUES for every member would be
# made ready to be reckoned anew for every one of them, which costs more than the reckoning.
_ENTER = text(
    "WITH given AS MATERIALIZED ("  # noqa: S608 - our own pieces
    f" SELECT o.*, {_id_at(0)} AS wallet_id, {_id_at(1)} AS points_id,"
    f" {_id_at(2)} AS principal_id, {_id_at(3)} AS principal_lot_id,"
    f" {_id_at(4)} AS bonus_id, {_id_at(5)} AS bonus_lot_id,"
    f" {_id_at(6)} AS points_transfer_id, {_id_at(7)} AS points_lot_id,"
    " s.id AS store_account_id, CAST((o.principal > 0) AS integer) AS before_bonus,"
    " CAST((o.principal > 0) AS integer) + CAST((o.bonus > 0) AS integer) AS before_points"
    " FROM unnest("
    " CAST(:request_ids AS uuid[]), CAST(:body_hashes AS bytea[]), CAST(:member_ids AS uuid[]),"
    " CAST(:store_ids AS uuid[]), CAST(:principals AS bigint[]), CAST(:bonuses AS bigint[]),"
    " CAST(:points AS bigint[]), CAST(:granted_ats AS timestamptz[])) WITH ORDINALITY"
    " AS o(request_id, body_hash, member_id, store_id, principal, bonus, points, granted_at, n)"
    " LEFT JOIN ledger_accounts s ON s.owner_id = o.store_id AND s.kind = 'store_opening'"
    "  AND s.brand_id = :brand_id AND s.owner_id = ANY(CAST(:stores AS uuid[]))),"
    " issued AS (SELECT id FROM ledger_accounts"
    "  WHERE owner_id = :brand_id AND kind = 'brand_points_issued'),"
    " opened AS (INSERT INTO ledger_accounts"
    "  (id, brand_id, kind, asset, owner_id, balance, created_at)"
    "  SELECT a.id, :brand_id, a.kind, a.asset, a.member_id, a.balance, :now FROM ("
    "  SELECT wallet_id AS id, 'member_stored_value' AS kind, 'cny_fen' AS asset, member_id,"
    "   principal + bonus AS balance FROM given UNION ALL"
    "  SELECT points_id, 'member_points', 'points', member_id, points FROM given) a"
    "  ORDER BY a.member_id, a.kind),"
    " parts AS MATERIALIZED (SELECT n, 1 AS place, 0 AS part, request_id, body_hash, store_id,"
    "  granted_at, principal_id AS id, principal_lot_id AS lot_id, 'opening_principal' AS kind,"
    "  'principal' AS lot_kind, 'cny_fen' AS asset, principal AS amount, principal AS balance,"
    "  store_account_id AS source_id, wallet_id AS target_id FROM given WHERE principal > 0"
    "  UNION ALL SELECT n, 2, before_bonus, request_id, body_hash, store_id, granted_at,"
    "  bonus_id, bonus_lot_id, 'opening_bonus', 'bonus', 'cny_fen', bonus, principal + bonus,"
    "  store_account_id, wallet_id FROM given WHERE bonus > 0"
    "  UNION ALL SELECT n, 3, before_points, request_id, body_hash, store_id, granted_at,"
    "  points_transfer_id, points_lot_id, 'opening_points', 'points', 'points', points, points,"
    "  (SELECT id FROM issued), points_id FROM given WHERE points > 0),"
    " moved AS (INSERT INTO ledger_transfers (id, request_id, part, body_hash, kind, asset,"
    "  from_account_id, to_account_id, amount, store_id, staff_id, created_at)"
    "  SELECT id, request_id, part, body_hash, kind, asset, source_id, target_id, amount,"
    "  store_id, CAST(:staff_id AS uuid), :now FROM parts ORDER BY request_id, part),"
    " granted AS (INSERT INTO ledger_lots (id, account_id, kind, origin_transfer_id, granted,"
    "  remaining, granted_at, expires_at)"
    "  SELECT lot_id, target_id, lot_kind, id, amount, amount, granted_at,"
    "  CASE WHEN lot_kind = 'points' THEN CAST(:expires_at AS timestamptz) END"
    "  FROM parts ORDER BY n, place)"
    # Both sides of every transfer in one statement: the trigger sums the entries of each.
    " INSERT INTO ledger_entries (transfer_id, account_id, amount, balance_after)"
    " SELECT e.id, e.account_id, e.amount, e.balance FROM ("
    " SELECT n, place, 1 AS side, id, source_id AS account_id, -amount AS amount,"
    "  CAST(NULL AS bigint) AS balance FROM parts UNION ALL"
    " SELECT n, place, 2, id, target_id, amount, balance FROM parts) e"
    " ORDER BY e.n, e.place, e.side"
)
_FIND_BOOKS = text(
    "SELECT owner_id FROM ledger_accounts WHERE brand_id = :brand_id"
    " AND ((kind = 'store_opening' AND owner_id = ANY(CAST(:store_ids AS uuid[])))"
    " OR (kind = 'brand_points_issued' AND owner_id = :brand_id))"
)


async def enter_opening_balances(
    tx: Tx,
    openings: Sequence[OpeningBalance],
    *,
    brand_id: BrandId,
    staff_id: StaffId | None,
    points_expire_at: datetime | None,
    now: datetime,
) -> None:
    """Open stored value and points of members who have none yet, with what their cards held.

    Nobody is told: it is the past. What cards may hold is not looked at, because they hold it.
    All or none: a member whose accounts are open, or a request that was entered before, is an
    IntegrityError. `points_expire_at` None is never. Raises AmountOutOfRange; AccountNotFound when
    the accounts of a store or of the brand are not open.
    """
    if not openings:
        return
    for one in openings:
        check_amount(one.principal_fen, field="principal_fen", amount_min=0)
        check_amount(one.bonus_fen, field="bonus_fen", amount_min=0)
        check_amount(one.points, field="points", amount_min=0, amount_max=POINTS_MAX)
    columns = list(zip(*openings, strict=True))
    stores = sorted(set(columns[2]))
    await _check_books(tx, brand_id, stores)
    await tx.execute(
        _ENTER,
        {
            "brand_id": brand_id,
            "staff_id": staff_id,
            "expires_at": points_expire_at,
            "now": now,
            "ids": new_id_bytes(_IDS_EACH * len(openings)),
            "request_ids": columns[0],
            "body_hashes": [body_hash("enter_opening_balance", *one[1:]) for one in openings],
            "member_ids": columns[1],
            "store_ids": columns[2],
            "stores": stores,
            "principals": columns[3],
            "bonuses": columns[4],
            "points": columns[5],
            "granted_ats": columns[6],
        },
    )


async def _check_books(tx: Tx, brand_id: BrandId, stores: Sequence[StoreId]) -> None:
    asked = {"brand_id": brand_id, "store_ids": stores}
    open_ = set((await tx.scalars(_FIND_BOOKS, asked)).all())
    for store_id in stores:
        if store_id not in open_:
            raise AccountNotFound(owner="store", owner_id=store_id)
    if brand_id not in open_:
        raise AccountNotFound(owner="store", owner_id=None)
