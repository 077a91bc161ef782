"""What a member may have back: per top-up what is left of the principal, and what bonus it costs.

The rule is in docs/algorithms/ledger.md: the refund of a top-up is the principal of it that has
not been spent; what is left of its bonus is given up with it. Value that came from another member
counts with the top-up by which it first came in.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import LotId, MemberId, StoreId, TransferId

# The Supreme Court's interpretation of 2025, number 4, on prepaid consumption: within seven days
# no reason need be given.
NO_REASON_DAYS = 7

# Each lot of the member's card with the first transfer of the intention that first brought it.
_LOTS = text(
    "WITH RECURSIVE chain AS ("
    " SELECT l.id AS lot_id, l.kind, l.granted, l.remaining, l.granted_at, l.parent_lot_id,"
    " l.origin_transfer_id FROM ledger_lots l JOIN ledger_accounts a ON a.id = l.account_id"
    " WHERE a.owner_id = :member_id AND a.kind = 'member_stored_value'"
    " UNION ALL SELECT c.lot_id, c.kind, c.granted, c.remaining, c.granted_at, p.parent_lot_id,"
    " p.origin_transfer_id FROM chain c JOIN ledger_lots p ON p.id = c.parent_lot_id)"
    " SELECT c.lot_id, c.kind, c.granted, c.remaining, c.granted_at, f.id AS top_up_id,"
    " f.kind AS top_up_kind, f.store_id FROM chain c"
    " JOIN ledger_transfers o ON o.id = c.origin_transfer_id"
    " JOIN ledger_transfers f ON f.request_id = o.request_id AND f.part = 0"
    " WHERE c.parent_lot_id IS NULL ORDER BY c.granted_at, f.id, c.lot_id"
)


class RefundLine(msgspec.Struct, frozen=True, kw_only=True):
    """One top-up of which something is left on the card. Amounts in fen."""

    top_up_id: TransferId
    kind: TransferKind
    at: datetime
    store_id: StoreId | None
    # What came onto this card of it.
    principal_fen: int
    bonus_fen: int
    principal_left_fen: int
    bonus_left_fen: int
    # = principal_left_fen
    refund_fen: int
    # = bonus_left_fen
    forfeited_bonus_fen: int
    # Exclusive; before it `is_without_reason`.
    no_reason_until: datetime
    is_without_reason: bool
    lot_ids: tuple[LotId, ...]


class RefundQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What a refund of the whole card comes to; oldest top-up first."""

    lines: list[RefundLine]
    total_refund_fen: int
    total_forfeited_fen: int


async def quote_refunds(tx: Tx, member_id: MemberId, *, now: datetime) -> RefundQuote:
    """Return what may be refunded now. What is set aside for holds is not on the card."""
    lots: dict[TransferId, list[Any]] = {}
    for row in await tx.execute(_LOTS, {"member_id": member_id}):
        lots.setdefault(TransferId(row.top_up_id), []).append(row)
    lines = [
        _line(of_one, now=now) for of_one in lots.values() if any(row.remaining for row in of_one)
    ]
    return RefundQuote(
        lines=lines,
        total_refund_fen=sum(line.refund_fen for line in lines),
        total_forfeited_fen=sum(line.forfeited_bonus_fen for line in lines),
    )


def _line(lots: list[Any], *, now: datetime) -> RefundLine:
    principal = [lot for lot in lots if lot.kind == "principal"]
    bonus = [lot for lot in lots if lot.kind == "bonus"]
    first = lots[0]
    principal_left = sum(lot.remaining for lot in principal)
    bonus_left = sum(lot.remaining for lot in bonus)
    no_reason_until = first.granted_at + timedelta(days=NO_REASON_DAYS)
    return RefundLine(
        top_up_id=TransferId(first.top_up_id),
        kind=TransferKind(first.top_up_kind),
        at=first.granted_at,
        store_id=first.store_id,
        principal_fen=sum(lot.granted for lot in principal),
        bonus_fen=sum(lot.granted for lot in bonus),
        principal_left_fen=principal_left,
        bonus_left_fen=bonus_left,
        refund_fen=principal_left,
        forfeited_bonus_fen=bonus_left,
        no_reason_until=no_reason_until,
        is_without_reason=now < no_reason_until,
        lot_ids=tuple(LotId(lot.lot_id) for lot in lots),
    )
