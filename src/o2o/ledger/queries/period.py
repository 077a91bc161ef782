"""A member's statement of a period: every line of it, and what there was before it."""

from datetime import datetime

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import AccountKind, Asset
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId
from o2o.ledger.queries.statement import LINES_MAX, StatementLine, list_statement


class PeriodStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What happened from one moment to before another, oldest first."""

    opening: int
    # How many lines there are; `lines` is empty where that is more than was asked for.
    line_count: int
    lines: list[StatementLine]


# By the account's own index, all of it: one member's entries are few.
_BOUNDS = text(
    "SELECT count(*) FILTER (WHERE t.created_at >= :from_at) AS line_count,"
    " max(e.seq) FILTER (WHERE t.created_at >= :from_at) AS last_seq,"
    " coalesce(sum(e.amount) FILTER (WHERE t.created_at < :from_at), 0)::bigint AS opening"
    " FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id"
    " JOIN ledger_transfers t ON t.id = e.transfer_id"
    " WHERE a.owner_id = :member_id AND a.kind = :kind AND t.created_at < :until_at"
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
    """Return the lines of a period; none of them, only their number, when they are over `most`."""
    is_points = asset is Asset.POINTS
    kind = AccountKind.MEMBER_POINTS if is_points else AccountKind.MEMBER_STORED_VALUE
    bounds = (
        await tx.execute(
            _BOUNDS,
            {
                "member_id": member_id,
                "kind": kind.value,
                "from_at": from_at,
                "until_at": until_at,
            },
        )
    ).one()
    lines: list[StatementLine] = []
    before = (bounds.last_seq or 0) + 1
    while len(lines) < bounds.line_count <= most:
        page = await list_statement(tx, member_id, asset=asset, before_seq=before, limit=LINES_MAX)
        if not page:
            break
        lines += [line for line in page if from_at <= line.at < until_at]
        before = page[-1].seq
    lines.reverse()
    return PeriodStatement(
        opening=bounds.opening,
        line_count=bounds.line_count,
        lines=lines,
    )
