"""Receipts of what was undone, and what stands on every receipt besides: undoing and prints."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import Tender, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, TransferId, VisitId
from o2o.membership.queries.pad_day import CARD_OF_RECEIPT, Receipt


class ReceiptStory(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a charge or top-up, or of which one a reversal is."""

    # The transfer on the other side: the reversal of this one, or the one that this reverses.
    other_id: TransferId | None
    reason: str | None
    approved_by_name: str | None
    undone_at: datetime | None
    prints: int
    made_by: UUID | None


_STORY = text(
    "SELECT t.staff_id, coalesce(p.prints, 0) AS prints, u.reason, u.undone_at, a.name AS approved,"
    " CASE WHEN u.transfer_id = t.id THEN r.id ELSE u.transfer_id END AS other_id"
    " FROM ledger_transfers t"
    " LEFT JOIN counter_undos u ON u.transfer_id = t.id OR u.request_id = t.request_id"
    " LEFT JOIN ledger_transfers r ON r.request_id = u.request_id AND r.part = 0"
    " LEFT JOIN staff_members a ON a.id = u.approved_by"
    " LEFT JOIN receipt_prints p ON p.transfer_id = t.id WHERE t.id = :transfer_id"
)
# The lots given back, or the bonus that went along, say how it is shared.
_UNDONE = text(
    "SELECT t.id, t.kind, t.tender, t.created_at, v.id AS visit_id, u.pad_id,"  # noqa: S608 - a constant of ours
    " v.member_id, m.name,"
    " c.card_no, p.name AS clerk_name, t.amount + x.added AS amount,"
    " CASE WHEN t.kind = 'debit_reversed' THEN (SELECT coalesce(sum(b.amount), 0)::bigint"
    "  FROM ledger_lot_returns b JOIN ledger_lots l ON l.id = b.lot_id AND l.kind = 'bonus'"
    "  WHERE b.transfer_id = t.id) ELSE x.added END AS bonus, x.balance_after"
    " FROM ledger_transfers t JOIN counter_undos u ON u.request_id = t.request_id"
    " JOIN ledger_transfers o ON o.id = u.transfer_id"
    " JOIN counter_visits v ON v.id = o.visit_id JOIN members m ON m.id = v.member_id"
    f" {CARD_OF_RECEIPT}"
    " LEFT JOIN staff_members p ON p.id = t.staff_id"
    " CROSS JOIN LATERAL (SELECT coalesce(sum(y.amount)"
    "   FILTER (WHERE y.kind = 'top_up_bonus_reversed'), 0)::bigint AS added,"
    "  (array_agg(e.balance_after ORDER BY y.part DESC))[1] AS balance_after"
    "  FROM ledger_transfers y JOIN ledger_entries e ON e.transfer_id = y.id"
    "   AND e.balance_after IS NOT NULL WHERE y.request_id = t.request_id) x"
    " WHERE t.id = :transfer_id AND t.store_id = :store_id"
    " AND t.kind IN ('debit_reversed', 'top_up_reversed')"
)


async def get_receipt_story(tx: Tx, transfer_id: UUID) -> ReceiptStory:
    """Return what became of a transfer that has a receipt."""
    row = (await tx.execute(_STORY, {"transfer_id": transfer_id})).one()
    return ReceiptStory(
        other_id=TransferId(row.other_id) if row.other_id else None,
        reason=row.reason,
        approved_by_name=row.approved,
        undone_at=row.undone_at,
        prints=row.prints,
        made_by=row.staff_id,
    )


async def find_undo_receipt(tx: Tx, transfer_id: UUID, *, store_id: UUID) -> Receipt | None:
    """Return what the undoing of a charge or top-up at a pad of this store did."""
    row = (await tx.execute(_UNDONE, {"transfer_id": transfer_id, "store_id": store_id})).first()
    if row is None:
        return None
    return Receipt(
        transfer_id=TransferId(row.id),
        kind=TransferKind(row.kind),
        amount_fen=row.amount,
        principal_fen=row.amount - row.bonus,
        bonus_fen=row.bonus,
        balance_after_fen=row.balance_after,
        tender=Tender(row.tender) if row.tender else None,
        at=row.created_at,
        member_id=MemberId(row.member_id),
        member_name=row.name,
        card_no=row.card_no,
        clerk_name=row.clerk_name,
        visit_id=VisitId(row.visit_id),
        pad_id=row.pad_id,
        is_visit_live=False,
    )
