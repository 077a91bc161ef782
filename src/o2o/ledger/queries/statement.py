"""A member's statement: what came and went, newest first, page by page."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset, Tender, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, StoreId, TransferId
from o2o.ledger.queries.reasons import REASON_OF_TRANSFER

LINES_MAX = 100


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an account. Amounts are signed: what came is positive, what went negative."""

    # Ask for the lines before this one to turn the page.
    seq: int
    transfer_id: TransferId
    kind: TransferKind
    amount: int
    # The parts of `amount`; both 0 for points.
    principal_fen: int
    bonus_fen: int
    balance_after: int
    # None where no store took part.
    store_id: StoreId | None
    tender: Tender | None
    reason: str | None
    at: datetime


# One line of an entry `e` of a transfer `t`. What moved as bonus is told by its draws, its returns
# or its lots, whichever the transfer has.
LINE_COLUMNS = (
    "e.seq, t.id, t.kind, e.amount, e.balance_after, t.store_id, t.tender,"  # noqa: S608 - our own
    f" {REASON_OF_TRANSFER} AS reason, t.created_at, sign(e.amount)::bigint * CASE"
    " WHEN t.asset = 'points' THEN 0"
    " WHEN t.kind IN ('top_up', 'opening_principal') THEN 0"
    " WHEN t.kind IN ('top_up_bonus', 'opening_bonus') THEN t.amount"
    " ELSE greatest("
    " (SELECT sum(d.amount) FROM ledger_lot_draws d JOIN ledger_lots l ON l.id = d.lot_id"
    " WHERE d.transfer_id = t.id AND l.kind = 'bonus'),"
    " (SELECT sum(r.amount) FROM ledger_lot_returns r JOIN ledger_lots l ON l.id = r.lot_id"
    " WHERE r.transfer_id = t.id AND l.kind = 'bonus'),"
    " (SELECT sum(l.granted) FROM ledger_lots l"
    " WHERE l.origin_transfer_id = t.id AND l.kind = 'bonus'), 0) END::bigint AS bonus"
)

_STATEMENT = text(
    f"SELECT {LINE_COLUMNS}"  # noqa: S608 - our own
    " FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id"
    " JOIN ledger_transfers t ON t.id = e.transfer_id"
    " WHERE a.owner_id = :member_id AND a.kind = :kind"
    " AND (CAST(:before_seq AS bigint) IS NULL OR e.seq < :before_seq)"
    " ORDER BY e.seq DESC LIMIT :limit"
)


async def list_statement(
    tx: Tx,
    member_id: MemberId,
    *,
    asset: Asset = Asset.CNY_FEN,
    before_seq: int | None = None,
    limit: int = 20,
) -> list[StatementLine]:
    """Return up to `limit` (at most LINES_MAX) lines of stored value or of points."""
    is_points = asset is Asset.POINTS
    kind = AccountKind.MEMBER_POINTS if is_points else AccountKind.MEMBER_STORED_VALUE
    rows = await tx.execute(
        _STATEMENT,
        {
            "member_id": member_id,
            "kind": kind.value,
            "before_seq": before_seq,
            "limit": max(1, min(limit, LINES_MAX)),
        },
    )
    return [line_of(row, is_points=is_points) for row in rows]


def line_of(row: Any, *, is_points: bool) -> StatementLine:
    """Return a line as it was read by LINE_COLUMNS."""
    return StatementLine(
        seq=row.seq,
        transfer_id=TransferId(row.id),
        kind=TransferKind(row.kind),
        amount=row.amount,
        principal_fen=0 if is_points else row.amount - row.bonus,
        bonus_fen=0 if is_points else row.bonus,
        balance_after=row.balance_after,
        store_id=StoreId(row.store_id) if row.store_id else None,
        tender=Tender(row.tender) if row.tender else None,
        reason=row.reason,
        at=row.created_at,
    )
