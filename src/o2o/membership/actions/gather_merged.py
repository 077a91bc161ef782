"""Gather what reached a merged member after all: an undone debit, points of a purchase on its way.

Reversals give back to the lot a debit drew on, which stays with the old id. From there it follows
to the survivor, by origin, so that undoing the merge still gives it back.
"""

from datetime import datetime

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, new_request_id
from o2o.ledger.actions.merge_wallets import merge_wallets

BATCH_MAX = 50

# Not while something is set aside there: the next round comes.
_LEFT_BEHIND = text(
    "SELECT DISTINCT g.from_member_id, g.into_member_id FROM member_merges g"
    " JOIN ledger_accounts a ON a.owner_id = g.from_member_id"
    " AND a.kind IN ('member_stored_value', 'member_points') AND a.balance > 0"
    " WHERE g.undone_at IS NULL AND NOT EXISTS (SELECT 1 FROM ledger_accounts h"
    "  JOIN ledger_holds o ON o.account_id = h.id AND o.status = 'pending'"
    "  WHERE h.owner_id = g.from_member_id)"
    " ORDER BY g.from_member_id LIMIT :most"
)
_LOCK = text(
    "SELECT 1 FROM members WHERE id = :id AND status = 'merged' AND merged_into_id = :into"
    " FOR NO KEY UPDATE"
)


async def gather_merged(tx: Tx, now: datetime) -> None:
    """Let stored value and points of merged members follow to their survivors."""
    rows = (await tx.execute(_LEFT_BEHIND, {"most": BATCH_MAX})).all()
    for row in rows:
        asked = {"id": row.from_member_id, "into": row.into_member_id}
        # The merge may be undone at this moment.
        if await tx.scalar(_LOCK, asked) is None:
            continue
        await merge_wallets(
            tx,
            request_id=new_request_id(),
            from_member_id=MemberId(row.from_member_id),
            into_member_id=MemberId(row.into_member_id),
            now=now,
        )
