"""The audit of the books in SQL: each check returns the rows that are not as they must be.

Every check reads its tables once, by hash or by index, so that the time grows with the books and
not faster; all of them are to be run in one snapshot, see `read_in_one_snapshot`.
"""

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.ledger.queries.checks_of_lots import CHECKS_OF_LOTS
from o2o.ledger.queries.checks_of_names import CHECKS_OF_NAMES
from o2o.ledger.queries.checks_of_undoing import CHECKS_OF_UNDOING
from o2o.ledger.queries.reasons import CHECKS_OF_REASONS

FAULTS_NAMED_MAX = 10


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not as it must be."""

    check: str
    # The row's id, or the asset's name.
    subject: str
    expected: str
    found: str


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How much was looked at."""

    accounts: int
    transfers: int
    entries: int
    lots: int
    draws: int
    returns: int
    holds: int
    reversals: int


# Around each check; what it does not name of this costs it nothing. `fitting` says between which
# accounts, of one asset, a transfer of each kind moves; `grants` which kinds bring which lot.
_LIST_FAULTS = (
    "WITH sums AS (SELECT account_id, sum(amount) AS amount, count(*) AS entries,"
    " count(balance_after) AS with_balance FROM ledger_entries GROUP BY account_id),"
    " grants(kind, lot) AS (VALUES ('top_up', 'principal'), ('top_up_bonus', 'bonus'),"
    " ('points_earned', 'points'), ('opening_principal', 'principal'),"
    " ('opening_bonus', 'bonus'), ('opening_points', 'points')),"
    " fitting(kind, source, target, asset) AS (VALUES"
    " ('top_up', 'store_takings', 'member_stored_value', 'cny_fen'),"
    " ('top_up_bonus', 'store_bonus', 'member_stored_value', 'cny_fen'),"
    " ('debit', 'member_stored_value', 'store_sales', 'cny_fen'),"
    " ('debit_reversed', 'store_sales', 'member_stored_value', 'cny_fen'),"
    " ('top_up_reversed', 'member_stored_value', 'store_takings', 'cny_fen'),"
    " ('top_up_bonus_reversed', 'member_stored_value', 'store_bonus', 'cny_fen'),"
    " ('held', 'member_stored_value', 'member_held', 'cny_fen'),"
    " ('hold_posted', 'member_held', 'store_sales', 'cny_fen'),"
    " ('hold_released', 'member_held', 'member_stored_value', 'cny_fen'),"
    " ('refund', 'member_stored_value', 'store_takings', 'cny_fen'),"
    " ('bonus_forfeited', 'member_stored_value', 'store_bonus', 'cny_fen'),"
    " ('passed_on', 'member_stored_value', 'member_stored_value', 'cny_fen'),"
    " ('merged', 'member_stored_value', 'member_stored_value', 'cny_fen'),"
    " ('merged', 'member_points', 'member_points', 'points'),"
    " ('unmerged', 'member_stored_value', 'member_stored_value', 'cny_fen'),"
    " ('unmerged', 'member_points', 'member_points', 'points'),"
    " ('adjusted_up', 'brand_adjustments', 'member_stored_value', 'cny_fen'),"
    " ('adjusted_down', 'member_stored_value', 'brand_adjustments', 'cny_fen'),"
    " ('adjusted_up', 'brand_points_issued', 'member_points', 'points'),"
    " ('adjusted_down', 'member_points', 'brand_points_issued', 'points'),"
    " ('opening_principal', 'store_opening', 'member_stored_value', 'cny_fen'),"
    " ('opening_bonus', 'store_opening', 'member_stored_value', 'cny_fen'),"
    " ('opening_points', 'brand_points_issued', 'member_points', 'points'),"
    " ('points_earned', 'brand_points_issued', 'member_points', 'points'),"
    " ('points_earned_reversed', 'member_points', 'brand_points_issued', 'points'),"
    " ('points_spent', 'member_points', 'brand_points_spent', 'points'),"
    " ('points_spent_reversed', 'brand_points_spent', 'member_points', 'points'),"
    " ('points_expired', 'member_points', 'brand_points_expired', 'points'),"
    " ('points_donated', 'member_points', 'brand_points_donated', 'points'))"
    " SELECT subject, expected, found, count(*) OVER () AS faults"
    " FROM ({check}) AS f(subject, expected, found)"
    " ORDER BY length(subject), subject LIMIT :named"
)

# Each selects (subject, expected, found) of what is wrong, and nothing when all is well.
CHECKS: dict[str, str] = {
    "assets_sum_to_zero": (
        "SELECT a.asset::text, '0', sum(s.amount)::text FROM sums s"
        " JOIN ledger_accounts a ON a.id = s.account_id"
        " GROUP BY a.asset HAVING sum(s.amount) <> 0"
    ),
    "balances_equal_entries": (
        "SELECT a.id::text, coalesce(s.amount, 0)::text, a.balance::text"
        " FROM ledger_accounts a LEFT JOIN sums s ON s.account_id = a.id"
        " WHERE a.balance IS NOT NULL AND a.balance <> coalesce(s.amount, 0)"
    ),
    "balances_equal_lots": (
        "SELECT a.id::text, coalesce(l.remaining, 0)::text, a.balance::text"
        " FROM ledger_accounts a LEFT JOIN (SELECT account_id, sum(remaining) AS remaining"
        " FROM ledger_lots GROUP BY account_id) l ON l.account_id = a.id"
        # What is set aside is in no lot: it was drawn, and may go back.
        " WHERE CASE WHEN a.kind = 'member_held' THEN 0 ELSE coalesce(a.balance, 0) END"
        " <> coalesce(l.remaining, 0)"
    ),
    "balances_not_negative": (
        "SELECT id::text, '>= 0', balance::text FROM ledger_accounts WHERE balance < 0"
    ),
    "entries_keep_running_balances": (
        "SELECT seq::text, running::text, balance_after::text FROM ("
        " SELECT e.seq, e.balance_after,"
        " sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.seq) AS running"
        " FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.balance IS NOT NULL) r WHERE balance_after IS DISTINCT FROM running"
    ),
    "entries_without_pocket_keep_none": (
        "SELECT a.id::text, '0 entries with a balance', s.with_balance::text"
        " FROM ledger_accounts a JOIN sums s ON s.account_id = a.id"
        " WHERE a.balance IS NULL AND s.with_balance > 0"
    ),
    "transfers_have_two_entries": (
        "SELECT t.id::text, '2', coalesce(e.entries, 0)::text FROM ledger_transfers t"
        " LEFT JOIN (SELECT transfer_id, count(*) AS entries FROM ledger_entries"
        " GROUP BY transfer_id) e ON e.transfer_id = t.id WHERE coalesce(e.entries, 0) <> 2"
    ),
    "entries_match_transfers": (
        "SELECT e.seq::text, t.amount || ' from ' || t.from_account_id || ' to '"
        " || t.to_account_id, e.amount || ' of ' || e.account_id"
        " FROM ledger_entries e JOIN ledger_transfers t ON t.id = e.transfer_id"
        " WHERE NOT (e.account_id = t.from_account_id AND e.amount = -t.amount)"
        " AND NOT (e.account_id = t.to_account_id AND e.amount = t.amount)"
    ),
    "transfers_join_fitting_accounts": (
        "SELECT t.id::text, coalesce((SELECT string_agg(k.source || ' to ' || k.target || ' in '"
        " || k.asset, ' or ') FROM fitting k WHERE k.kind = t.kind), 'nothing') || ', one brand',"
        " f.kind || ' to ' || o.kind || ' in ' || t.asset"
        " FROM ledger_transfers t JOIN ledger_accounts f ON f.id = t.from_account_id"
        " JOIN ledger_accounts o ON o.id = t.to_account_id"
        " LEFT JOIN fitting k ON (k.kind, k.source, k.target, k.asset)"
        " = (t.kind, f.kind, o.kind, t.asset)"
        " WHERE k.kind IS NULL OR f.brand_id <> o.brand_id"
        " OR f.asset <> t.asset OR o.asset <> t.asset"
    ),
    **CHECKS_OF_NAMES,
    **CHECKS_OF_LOTS,
    **CHECKS_OF_UNDOING,
    **CHECKS_OF_REASONS,
}


async def read_in_one_snapshot(tx: Tx) -> None:
    """Make this transaction see one moment and give it time; must be its first statement."""
    await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    await tx.execute(text("SET LOCAL statement_timeout = 0"))
    # Sums over millions of rows stay in memory, and one core may help another.
    await tx.execute(text("SET LOCAL work_mem = '128MB'"))


async def count_rows(tx: Tx) -> Extent:
    """Count what there is to check."""
    row = (
        await tx.execute(
            text(
                "SELECT (SELECT count(*) FROM ledger_accounts) AS accounts,"
                " (SELECT count(*) FROM ledger_transfers) AS transfers,"
                " (SELECT count(*) FROM ledger_entries) AS entries,"
                " (SELECT count(*) FROM ledger_lots) AS lots,"
                " (SELECT count(*) FROM ledger_lot_draws) AS draws,"
                " (SELECT count(*) FROM ledger_lot_returns) AS returns,"
                " (SELECT count(*) FROM ledger_holds) AS holds,"
                " (SELECT count(*) FROM ledger_reversals) AS reversals"
            )
        )
    ).one()
    return Extent(
        accounts=row.accounts,
        transfers=row.transfers,
        entries=row.entries,
        lots=row.lots,
        draws=row.draws,
        returns=row.returns,
        holds=row.holds,
        reversals=row.reversals,
    )


async def list_faults(tx: Tx, check: str) -> tuple[int, list[Fault]]:
    """Run one check; return how many rows are wrong, and the first of them by name."""
    rows = await tx.execute(
        text(_LIST_FAULTS.replace("{check}", CHECKS[check])), {"named": FAULTS_NAMED_MAX}
    )
    found = rows.all()
    faults = [
        Fault(
            check=check,
            subject=row.subject,
            expected=str(row.expected),
            found=str(row.found),
        )
        for row in found
    ]
    return (int(found[0].faults) if found else 0), faults
