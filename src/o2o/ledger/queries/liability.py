"""What stores owe their card holders (unspent stored value), day by day, from the books.

Value is owed by the store that sold it, wherever it is spent and whoever holds it by then. A report
reads the days that sealing has summed up and, in the same snapshot, the entries not sealed yet;
its cost grows with stores and days, not with the history of the books.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text

from o2o.crm.statuses import LotKind, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId
from o2o.ledger.queries.checks import Fault

# Where no store sold the value, its days are those of the country.
ZONE = "Asia/Shanghai"

# The movements of lots by the transfers of a stretch. The paying side stands for a transfer, so
# that each is taken once whatever stretches its two entries fall into. What is set aside is still
# owed: a hold counts when it is posted, with the lots it drew on and has not given back. A lot that
# came from another lot (passed on, merged) belongs where the first of them was sold.
_MOVEMENTS = (
    "WITH RECURSIVE stretch AS (SELECT t.id, t.kind, t.created_at FROM ledger_entries e"
    " JOIN ledger_transfers t ON t.id = e.transfer_id AND t.asset = 'cny_fen'"
    " WHERE e.seq BETWEEN {from_seq} AND {to_seq} AND e.amount < 0),"
    " moves AS (SELECT t.*, l.id AS lot_id, l.granted AS amount"
    " FROM stretch t JOIN ledger_lots l ON l.origin_transfer_id = t.id"
    " UNION ALL SELECT t.*, d.lot_id, -d.amount"
    " FROM stretch t JOIN ledger_lot_draws d ON d.transfer_id = t.id AND t.kind <> 'held'"
    " UNION ALL SELECT t.*, r.lot_id, r.amount FROM stretch t"
    " JOIN ledger_lot_returns r ON r.transfer_id = t.id AND t.kind <> 'hold_released'"
    " UNION ALL SELECT t.*, d.lot_id, coalesce(r.amount, 0) - d.amount"
    " FROM stretch t JOIN ledger_holds h ON h.posted_id = t.id"
    " JOIN ledger_lot_draws d ON d.transfer_id = h.id"
    " LEFT JOIN ledger_lot_returns r ON r.transfer_id = h.released_id AND r.lot_id = d.lot_id),"
    " lines AS (SELECT DISTINCT lot_id, lot_id AS first_id FROM moves"
    " UNION ALL SELECT n.lot_id, l.parent_lot_id FROM lines n"
    " JOIN ledger_lots l ON l.id = n.first_id WHERE l.parent_lot_id IS NOT NULL),"
    " movements AS (SELECT coalesce(o.store_id, a.brand_id) AS owner_id,"
    " CAST(m.created_at AT TIME ZONE coalesce(s.timezone, :zone) AS date) AS day,"
    " CAST(m.kind AS text) AS kind, l.kind AS lot_kind, a.brand_id,"
    " CAST(sum(m.amount) AS bigint) AS amount"
    " FROM moves m JOIN lines n ON n.lot_id = m.lot_id"
    " JOIN ledger_lots l ON l.id = n.first_id AND l.parent_lot_id IS NULL"
    " JOIN ledger_transfers o ON o.id = l.origin_transfer_id"
    " JOIN ledger_accounts a ON a.id = l.account_id"
    " LEFT JOIN stores s ON s.id = o.store_id"
    " GROUP BY 1, 2, 3, 4, 5)"
)


def with_movements(statement: str, *, from_seq: str, to_seq: str) -> TextClause:
    """Return a statement that reads `movements` of the entries between two expressions."""
    stretch = _MOVEMENTS.replace("{from_seq}", from_seq).replace("{to_seq}", to_seq)
    return text(stretch + statement)


# Before the first day one sum for each store, from then on the movements of each day.
_REPORT = with_movements(
    ", days AS (SELECT owner_id, day, kind, lot_kind, amount FROM ledger_liability_days"
    " WHERE brand_id = :brand_id AND day < :until_day"
    " UNION ALL SELECT owner_id, day, kind, lot_kind, amount FROM movements"
    " WHERE brand_id = :brand_id AND day < :until_day)"
    " SELECT owner_id, CAST(NULL AS date) AS day, NULL AS kind, lot_kind,"
    " CAST(sum(amount) AS bigint) AS amount FROM days WHERE day < :from_day"
    " AND (CAST(:owner_ids AS uuid[]) IS NULL OR owner_id = ANY(CAST(:owner_ids AS uuid[])))"
    " GROUP BY owner_id, lot_kind"
    " UNION ALL SELECT owner_id, day, kind, lot_kind, CAST(sum(amount) AS bigint)"
    " FROM days WHERE day >= :from_day"
    " AND (CAST(:owner_ids AS uuid[]) IS NULL OR owner_id = ANY(CAST(:owner_ids AS uuid[])))"
    " GROUP BY owner_id, day, kind, lot_kind",
    from_seq="(SELECT coalesce(max(to_seq), 0) + 1 FROM ledger_seals)",
    to_seq="9223372036854775807",
)
_HELD = text(
    "SELECT CAST(coalesce(sum(balance), 0) AS bigint) FROM ledger_accounts"
    " WHERE brand_id = :brand_id AND kind IN ('member_stored_value', 'member_held')"
)

_DIFFERING = with_movements(
    " SELECT owner_id, day, kind, lot_kind, coalesce(m.amount, 0) AS expected,"
    " coalesce(d.amount, 0) AS found FROM movements m"
    " FULL JOIN ledger_liability_days d USING (owner_id, day, kind, lot_kind)"
    " WHERE coalesce(m.amount, 0) <> coalesce(d.amount, 0)"
    " OR m.brand_id <> d.brand_id"
    " ORDER BY day, owner_id LIMIT :limit",
    from_seq="1",
    to_seq=":sealed_to",
)


class LiabilityMovement(msgspec.Struct, frozen=True, kw_only=True):
    """By how much what a store owes changed; `day` is None for all that was before the report."""

    # The store, or the brand where no store sold the value.
    owner_id: UUID
    day: date | None
    kind: TransferKind | None
    lot_kind: LotKind
    amount_fen: int


async def list_liability(
    tx: Tx,
    *,
    brand_id: BrandId,
    from_day: date,
    until_day: date,
    owner_ids: Sequence[UUID] | None,
) -> list[LiabilityMovement]:
    """Return opening sums and movements from `from_day` to before `until_day`.

    `owner_ids` limits it to these stores; None is the whole brand.
    """
    rows = await tx.execute(
        _REPORT,
        {
            "brand_id": brand_id,
            "from_day": from_day,
            "until_day": until_day,
            "owner_ids": list(owner_ids) if owner_ids is not None else None,
            "zone": ZONE,
        },
    )
    return [
        LiabilityMovement(
            owner_id=row.owner_id,
            day=row.day,
            kind=TransferKind(row.kind) if row.kind else None,
            lot_kind=LotKind(row.lot_kind),
            amount_fen=row.amount,
        )
        for row in rows
    ]


async def sum_held_by_members(tx: Tx, brand_id: BrandId) -> int:
    """Return what all cards of a brand hold now, set aside or not, as the accounts say."""
    return int(await tx.scalar(_HELD, {"brand_id": brand_id}) or 0)


async def list_days_that_differ(tx: Tx, *, sealed_to: int, limit: int) -> list[Fault]:
    """Compare the days that sealing summed up with the entries up to `sealed_to`."""
    rows = await tx.execute(_DIFFERING, {"sealed_to": sealed_to, "limit": limit, "zone": ZONE})
    return [
        Fault(
            check="",
            subject=f"{row.day} of {row.owner_id}, {row.kind} of {row.lot_kind}",
            expected=str(row.expected),
            found=str(row.found),
        )
        for row in rows
    ]
