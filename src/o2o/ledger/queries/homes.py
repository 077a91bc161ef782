"""Whose value was in the lots that transfers drew on, before members became one with others."""

from collections import defaultdict
from collections.abc import Collection

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import LotId, MemberId, TransferId
from o2o.ledger.queries.books import lot_of
from o2o.ledger.rules.draw import Lot


class EarlierLot(msgspec.Struct, frozen=True):
    """What a lot was in the pocket of a member who then became one with its owner."""

    member_id: MemberId
    lot: Lot


# Upwards from each lot, from merger to merger, the latest first. Nothing in it ever changes.
_EARLIER = text(
    "WITH RECURSIVE drawn AS ("
    " SELECT d.transfer_id AS id, d.lot_id FROM ledger_lot_draws d"
    " WHERE d.transfer_id = ANY(CAST(:ids AS uuid[]))"
    " UNION SELECT h.posted_id, d.lot_id FROM ledger_holds h"
    " JOIN ledger_lot_draws d ON d.transfer_id = h.id"
    " WHERE h.posted_id = ANY(CAST(:ids AS uuid[]))),"
    " line AS ("
    " SELECT DISTINCT l.id AS drawn_id, l.parent_lot_id AS lot_id, l.origin_transfer_id,"
    " 1 AS depth FROM drawn n JOIN ledger_lots l ON l.id = n.lot_id"
    " WHERE l.parent_lot_id IS NOT NULL"
    " UNION ALL SELECT n.drawn_id, p.parent_lot_id, p.origin_transfer_id, n.depth + 1 FROM line n"
    " JOIN ledger_transfers t ON t.id = n.origin_transfer_id AND t.kind = 'merged'"
    " JOIN ledger_lots p ON p.id = n.lot_id AND p.parent_lot_id IS NOT NULL)"
    " SELECT n.drawn_id, a.owner_id, l.id, l.kind, l.granted_at, l.expires_at, 0 AS remaining"
    " FROM line n JOIN ledger_transfers t ON t.id = n.origin_transfer_id AND t.kind = 'merged'"
    " JOIN ledger_lots l ON l.id = n.lot_id JOIN ledger_accounts a ON a.id = l.account_id"
    " ORDER BY n.drawn_id, n.depth"
)


async def find_earlier_lots(
    tx: Tx, transfer_ids: Collection[TransferId]
) -> dict[LotId, list[EarlierLot]]:
    """Return for the lots that these transfers drew on what they were before, latest first."""
    earlier: dict[LotId, list[EarlierLot]] = defaultdict(list)
    for row in await tx.execute(_EARLIER, {"ids": sorted(transfer_ids)}):
        earlier[LotId(row.drawn_id)].append(EarlierLot(MemberId(row.owner_id), lot_of(row)))
    return dict(earlier)
