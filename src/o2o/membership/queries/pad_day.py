"""What a pad did today, visit by visit, and single receipts."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import Tender, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, TransferId, VisitId

VISITS_MAX = 50


class VisitMove(msgspec.Struct, frozen=True, kw_only=True):
    """Money that moved in a visit; a top-up with its bonus is one."""

    transfer_id: TransferId
    kind: TransferKind
    amount_fen: int
    at: datetime


class PadVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that a pad opened."""

    visit_id: VisitId
    member_name: str | None
    opened_at: datetime
    is_live: bool
    moves: list[VisitMove]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A charge or top-up at a pad. `amount_fen` = `principal_fen` + `bonus_fen`."""

    transfer_id: TransferId
    kind: TransferKind
    amount_fen: int
    principal_fen: int
    bonus_fen: int
    # What the card held right after.
    balance_after_fen: int
    tender: Tender | None
    at: datetime
    member_id: MemberId
    member_name: str | None
    card_no: str
    clerk_name: str | None
    visit_id: VisitId
    pad_id: UUID
    is_visit_live: bool


_TODAY = text(
    "SELECT v.id, v.opened_at, v.closed_at IS NULL AND v.expires_at > :now AS is_live,"
    " m.name, t.id AS transfer_id, t.kind, t.created_at,"
    " t.amount + coalesce(b.amount, 0) AS amount"
    " FROM (SELECT * FROM counter_visits WHERE pad_id = :pad_id AND opened_at >= :since"
    "  ORDER BY opened_at DESC, id DESC LIMIT :most) v"
    " JOIN members m ON m.id = v.member_id"
    " LEFT JOIN ledger_transfers t ON t.visit_id = v.id AND t.kind IN ('debit', 'top_up')"
    " LEFT JOIN ledger_transfers b"
    "  ON b.request_id = t.request_id AND b.kind = 'top_up_bonus'"
    " ORDER BY v.opened_at DESC, v.id DESC, t.created_at, t.id"
)
# Who became another member or left has no card in force any more; receipts name the last one.
CARD_OF_RECEIPT = (
    "JOIN LATERAL (SELECT o.card_no FROM cards o WHERE o.member_id = m.id"
    " ORDER BY o.status = 'active' DESC, o.issued_at DESC, o.id DESC LIMIT 1) c ON true"
)
# Principal and bonus of a debit are told by the lots it drew on, those of a top-up by its parts.
# The last part has the balance that the card was left with.
_RECEIPT = text(
    "SELECT t.id, t.kind, t.tender, t.created_at, v.id AS visit_id, v.pad_id,"  # noqa: S608 - a constant of ours
    " v.member_id,"
    " v.closed_at IS NULL AND v.expires_at > :now AS is_live,"
    " m.name, c.card_no, p.name AS clerk_name, t.amount + x.added AS amount,"
    " CASE WHEN t.kind = 'debit' THEN (SELECT coalesce(sum(d.amount), 0)::bigint"
    "  FROM ledger_lot_draws d JOIN ledger_lots l ON l.id = d.lot_id AND l.kind = 'bonus'"
    "  WHERE d.transfer_id = t.id) ELSE x.added END AS bonus, x.balance_after"
    " FROM ledger_transfers t"
    " JOIN counter_visits v ON v.id = t.visit_id AND v.pad_id IS NOT NULL"
    " JOIN members m ON m.id = v.member_id"
    f" {CARD_OF_RECEIPT}"
    " LEFT JOIN staff_members p ON p.id = t.staff_id"
    " CROSS JOIN LATERAL (SELECT"
    "  coalesce(sum(y.amount) FILTER (WHERE y.kind = 'top_up_bonus'), 0)::bigint AS added,"
    "  (array_agg(e.balance_after ORDER BY y.part DESC))[1] AS balance_after"
    "  FROM ledger_transfers y"
    "  JOIN ledger_entries e ON e.transfer_id = y.id AND e.balance_after IS NOT NULL"
    "  WHERE y.request_id = t.request_id AND y.kind IN (t.kind, 'top_up_bonus')) x"
    " WHERE t.id = :transfer_id AND t.store_id = :store_id AND t.kind IN ('debit', 'top_up')"
)
_IS_HELD = text(
    "SELECT true FROM counter_visits WHERE id = :visit_id AND pad_id = :pad_id"
    " AND held_at IS NOT NULL AND confirmed_at IS NULL AND closed_at IS NULL AND expires_at > :now"
)


async def list_visits_of_pad(
    tx: Tx, pad_id: UUID, *, since: datetime, now: datetime, limit: int = VISITS_MAX
) -> list[PadVisit]:
    """Return the visits a pad opened since then, newest first, with what moved in each."""
    rows = await tx.execute(
        _TODAY,
        {"pad_id": pad_id, "since": since, "now": now, "most": max(1, min(limit, VISITS_MAX))},
    )
    visits: dict[UUID, PadVisit] = {}
    for row in rows:
        visit = visits.setdefault(
            row.id,
            PadVisit(
                visit_id=VisitId(row.id),
                member_name=row.name,
                opened_at=row.opened_at,
                is_live=row.is_live,
                moves=[],
            ),
        )
        if row.transfer_id is not None:
            visit.moves.append(
                VisitMove(
                    transfer_id=TransferId(row.transfer_id),
                    kind=TransferKind(row.kind),
                    amount_fen=row.amount,
                    at=row.created_at,
                )
            )
    return list(visits.values())


async def find_receipt(
    tx: Tx, transfer_id: UUID, *, store_id: UUID, now: datetime
) -> Receipt | None:
    """Return what a charge or top-up at a pad of this store did."""
    row = (
        await tx.execute(_RECEIPT, {"transfer_id": transfer_id, "store_id": store_id, "now": now})
    ).first()
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
        is_visit_live=row.is_live,
    )


async def is_visit_held(tx: Tx, *, visit_id: UUID, pad_id: UUID, now: datetime) -> bool:
    """Whether a pad's own visit waits for the member's yes."""
    asked = {"visit_id": visit_id, "pad_id": pad_id, "now": now}
    return bool(await tx.scalar(_IS_HELD, asked))
