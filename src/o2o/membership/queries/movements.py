"""What moved at the pads of a store: the day's list, with what was undone."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import Tender, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import TransferId

MOVEMENTS_MAX = 200


class CounterMovement(msgspec.Struct, frozen=True, kw_only=True):
    """A charge, top-up, refund, or the undoing of one. `amount_fen` counts a bonus in."""

    transfer_id: TransferId
    kind: TransferKind
    amount_fen: int
    tender: Tender | None
    at: datetime
    member_name: str | None
    card_tail: str
    clerk_name: str | None
    pad_name: str
    is_undone: bool


_MOVEMENTS = text(
    "WITH moved AS ("
    " SELECT t.id, t.request_id, t.kind, t.amount, t.tender, t.created_at, t.staff_id, v.pad_id,"
    "  v.member_id FROM pads p JOIN counter_visits v ON v.pad_id = p.id"
    "  AND v.opened_at >= CAST(:since AS timestamptz) - interval '10 minutes'"
    "  AND v.opened_at < :until"
    "  JOIN ledger_transfers t ON t.visit_id = v.id AND t.kind IN ('debit', 'top_up', 'refund')"
    "  WHERE p.store_id = :store_id"
    " UNION ALL SELECT t.id, t.request_id, t.kind, t.amount, t.tender, t.created_at, t.staff_id,"
    "  u.pad_id, v.member_id FROM pads p JOIN counter_undos u ON u.pad_id = p.id"
    "  AND u.undone_at >= :since AND u.undone_at < :until"
    "  JOIN ledger_transfers t ON t.request_id = u.request_id"
    "   AND t.kind IN ('debit_reversed', 'top_up_reversed')"
    "  JOIN ledger_transfers o ON o.id = u.transfer_id JOIN counter_visits v ON v.id = o.visit_id"
    "  WHERE p.store_id = :store_id)"
    " SELECT w.id, w.kind, w.tender, w.created_at, m.name, right(c.card_no, 4) AS card_tail,"
    " s.name AS clerk_name, p.name AS pad_name, w.amount + coalesce((SELECT sum(b.amount)"
    "  FROM ledger_transfers b WHERE b.request_id = w.request_id"
    "  AND b.kind IN ('top_up_bonus', 'top_up_bonus_reversed')), 0)::bigint AS amount,"
    " EXISTS (SELECT 1 FROM counter_undos u WHERE u.transfer_id = w.id) AS is_undone"
    " FROM moved w JOIN pads p ON p.id = w.pad_id JOIN members m ON m.id = w.member_id"
    " LEFT JOIN cards c ON c.member_id = m.id AND c.status = 'active'"
    " LEFT JOIN staff_members s ON s.id = w.staff_id"
    " WHERE w.created_at >= :since AND w.created_at < :until"
    " AND (CAST(:pad_id AS uuid) IS NULL OR w.pad_id = :pad_id)"
    " AND (CAST(:kinds AS text[]) IS NULL OR w.kind = ANY(CAST(:kinds AS text[])))"
    " ORDER BY w.created_at DESC, w.id DESC LIMIT :most"
)


async def list_counter_movements(
    tx: Tx,
    *,
    store_id: UUID,
    since: datetime,
    until: datetime,
    pad_id: UUID | None = None,
    kinds: tuple[TransferKind, ...] = (),
) -> list[CounterMovement]:
    """Return what moved at a store's pads in that time, newest first, at most 200.

    Of one pad, or of some kinds, where these are named.
    """
    rows = await tx.execute(
        _MOVEMENTS,
        {
            "store_id": store_id,
            "since": since,
            "until": until,
            "pad_id": pad_id,
            "kinds": [kind.value for kind in kinds] or None,
            "most": MOVEMENTS_MAX,
        },
    )
    return [
        CounterMovement(
            transfer_id=TransferId(row.id),
            kind=TransferKind(row.kind),
            amount_fen=row.amount,
            tender=Tender(row.tender) if row.tender else None,
            at=row.created_at,
            member_name=row.name,
            card_tail=row.card_tail or "",
            clerk_name=row.clerk_name,
            pad_name=row.pad_name,
            is_undone=row.is_undone,
        )
        for row in rows
    ]
