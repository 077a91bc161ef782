"""Which value in a member's pockets came there when another member became part of them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import AccountId, LotId
from o2o.ledger.queries.books import lot_of
from o2o.ledger.rules.draw import Lot

# Downwards from the lots that came with a merger, to what is unspent in the same pocket: as it
# came, or given to somebody and given back. Each with the lot in the first member's pocket that it
# was before the merger.
_MERGED_LOTS = text(
    "WITH RECURSIVE line AS ("
    " SELECT l.id AS lot_id, l.parent_lot_id AS home_id FROM ledger_lots l"
    " JOIN ledger_transfers t ON t.id = l.origin_transfer_id AND t.kind = 'merged'"
    " WHERE l.account_id = ANY(CAST(:into_ids AS uuid[]))"
    " AND t.from_account_id = ANY(CAST(:from_ids AS uuid[]))"
    # What went back and came with a merger once more has a later home.
    " UNION ALL SELECT c.id, p.home_id FROM line p"
    " JOIN ledger_lots c ON c.parent_lot_id = p.lot_id"
    " JOIN ledger_transfers t ON t.id = c.origin_transfer_id"
    " WHERE NOT (t.kind = 'merged' AND c.account_id = ANY(CAST(:into_ids AS uuid[]))"
    " AND t.from_account_id = ANY(CAST(:from_ids AS uuid[]))))"
    " SELECT l.id AS lot_id, l.account_id, h.id, h.kind, h.granted_at, h.expires_at,"
    " 0 AS remaining FROM line n JOIN ledger_lots l ON l.id = n.lot_id"
    " JOIN ledger_lots h ON h.id = n.home_id"
    " WHERE l.account_id = ANY(CAST(:into_ids AS uuid[])) AND l.remaining > 0"
)


class MergedLot(msgspec.Struct, frozen=True, kw_only=True):
    """An unspent lot, and what it was in the pocket of the member who became part of this one."""

    account_id: AccountId
    lot_id: LotId
    home: Lot


async def list_merged_lots(
    tx: Tx, *, from_ids: Sequence[AccountId], into_ids: Sequence[AccountId]
) -> list[MergedLot]:
    """Return what is unspent in the second accounts of what came from the first by a merger."""
    rows = await tx.execute(_MERGED_LOTS, {"from_ids": list(from_ids), "into_ids": list(into_ids)})
    return [
        MergedLot(account_id=AccountId(row.account_id), lot_id=LotId(row.lot_id), home=lot_of(row))
        for row in rows
    ]
