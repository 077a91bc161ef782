"""A member's statement of a period: every line of it, and what there was before it."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.ledger.queries.statement import LINE_COLUMNS, StatementLine, line_of


class PeriodStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What happened from one moment to before another, oldest first."""

    opening: int
    # How many lines there are; `lines` is empty where that is more than was asked for.
    line_count: int
    lines: list[StatementLine]


# Of everybody who became part of the member: their pockets have been one. What moved between these
# pockets is no movement of the member's.
_ENTRIES = (
    "WITH RECURSIVE one(id) AS (VALUES (CAST(:member_id AS uuid))"
    " UNION SELECT m.id FROM members m JOIN one ON m.merged_into_id = one.id),"
    " pockets AS MATERIALIZED (SELECT a.id FROM ledger_accounts a JOIN one ON a.owner_id = one.id"
    " WHERE a.kind = :kind),"
    " entries AS (SELECT e.seq, e.transfer_id, e.amount, e.balance_after FROM pockets p"
    " JOIN ledger_entries e ON e.account_id = p.id)"
)
_FROM = (
    " FROM entries e JOIN ledger_transfers t ON t.id = e.transfer_id"
    " WHERE NOT (t.from_account_id IN (SELECT id FROM pockets)"
    " AND t.to_account_id IN (SELECT id FROM pockets))"
)
# By the accounts' own index, all of it: one member's entries are few.
_BOUNDS = text(
    f"{_ENTRIES} SELECT count(*) FILTER (WHERE t.created_at >= :from_at) AS line_count,"
    " coalesce(sum(e.amount) FILTER (WHERE t.created_at < :from_at), 0)::bigint AS opening"
    f"{_FROM} AND t.created_at < :until_at"
)
_LINES = text(
    f"{_ENTRIES} SELECT {LINE_COLUMNS}{_FROM}"
    " AND t.created_at >= :from_at AND t.created_at < :until_at ORDER BY e.seq"
)


async def read_period(
    tx: Tx,
    member_id: MemberId,
    *,
    asset: Asset,
    from_at: datetime,
    until_at: datetime,
    most: int,
) -> PeriodStatement:
    """Return the lines of a period; none of them, only their number, when they are over `most`.

    With the history of those who became part of the member; each line's balance is that of all of
    them right after it.
    """
    is_points = asset is Asset.POINTS
    kind = AccountKind.MEMBER_POINTS if is_points else AccountKind.MEMBER_STORED_VALUE
    asked = {
        "member_id": member_id,
        "kind": kind.value,
        "from_at": from_at,
        "until_at": until_at,
    }
    bounds = (await tx.execute(_BOUNDS, asked)).one()
    lines: list[StatementLine] = []
    balance = bounds.opening
    if 0 < bounds.line_count <= most:
        for row in await tx.execute(_LINES, asked):
            balance += row.amount
            line = line_of(row, is_points=is_points)
            lines.append(msgspec.structs.replace(line, balance_after=balance))
    return PeriodStatement(opening=bounds.opening, line_count=bounds.line_count, lines=lines)
