"""Write a decided journal into the books: transfers, entries, lots and balances.

Written so that a row that is not as it was read under lock stops the transaction.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, text
from sqlalchemy.exc import IntegrityError

from o2o.infra.database import Tx, violated_constraint
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.ids import TransferId
from o2o.ledger.errors import BooksOutOfStep
from o2o.ledger.journal import Journal, Posting
from o2o.ledger.reasons import keep_reason

_ONE_EFFECT = "uq_ledger_transfers_request_id_part"

# Both sides of every transfer in one statement: the trigger sums the entries of each statement.
_INSERT_TRANSFERS = text(
    "WITH transfers AS ("
    " INSERT INTO ledger_transfers (id, request_id, part, body_hash, kind, asset,"
    " from_account_id, to_account_id, amount, store_id, tender, reason,"
    " visit_id, staff_id, api_key_id, reverses_id, created_at)"
    " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:request_ids AS uuid[]),"
    " CAST(:parts AS smallint[]), CAST(:body_hashes AS bytea[]), CAST(:kinds AS text[]),"
    " CAST(:assets AS text[]), CAST(:from_ids AS uuid[]), CAST(:to_ids AS uuid[]),"
    " CAST(:amounts AS bigint[]), CAST(:store_ids AS uuid[]), CAST(:tenders AS text[]),"
    " CAST(:sealed AS text[]), CAST(:visit_ids AS uuid[]), CAST(:staff_ids AS uuid[]),"
    " CAST(:api_key_ids AS uuid[]), CAST(:reverses_ids AS uuid[]), CAST(:ats AS timestamptz[]))),"
    " told AS (INSERT INTO ledger_reasons (transfer_id, reason, salt)"
    " SELECT * FROM unnest(CAST(:told_ids AS uuid[]), CAST(:reasons AS text[]),"
    " CAST(:salts AS bytea[])))"
    " INSERT INTO ledger_entries (transfer_id, account_id, amount, balance_after)"
    " SELECT transfer_id, account_id, amount, balance_after FROM unnest("
    " CAST(:entry_transfer_ids AS uuid[]), CAST(:entry_account_ids AS uuid[]),"
    " CAST(:entry_amounts AS bigint[]), CAST(:entry_balances AS bigint[]))"
    " WITH ORDINALITY AS e(transfer_id, account_id, amount, balance_after, position)"
    " ORDER BY position"
)

# The lots shrink by exactly what the draws say.
_INSERT_DRAWS = text(
    "WITH drawn AS (SELECT * FROM unnest(CAST(:transfer_ids AS uuid[]), CAST(:lot_ids AS uuid[]),"
    " CAST(:amounts AS bigint[])) AS d(transfer_id, lot_id, amount)),"
    " kept AS (INSERT INTO ledger_lot_draws (transfer_id, lot_id, amount)"
    " SELECT transfer_id, lot_id, amount FROM drawn)"
    " UPDATE ledger_lots l SET remaining = l.remaining - d.amount"
    " FROM (SELECT lot_id, sum(amount)::bigint AS amount FROM drawn GROUP BY lot_id) d"
    " WHERE l.id = d.lot_id"
)

# The lots grow again by what is given back to them; never beyond what they were granted.
_INSERT_RETURNS = text(
    "WITH given AS (SELECT * FROM unnest(CAST(:transfer_ids AS uuid[]), CAST(:lot_ids AS uuid[]),"
    " CAST(:amounts AS bigint[])) AS g(transfer_id, lot_id, amount)),"
    " kept AS (INSERT INTO ledger_lot_returns (transfer_id, lot_id, amount)"
    " SELECT transfer_id, lot_id, amount FROM given)"
    " UPDATE ledger_lots l SET remaining = l.remaining + g.amount"
    " FROM (SELECT lot_id, sum(amount)::bigint AS amount FROM given GROUP BY lot_id) g"
    " WHERE l.id = g.lot_id"
)

# The row that two reversals of one transfer race for: the later one finds too little left.
_INSERT_REVERSALS = text(
    "INSERT INTO ledger_reversals AS r (transfer_id, amount, reversed)"
    " SELECT transfer_id, amount, reversed FROM unnest(CAST(:transfer_ids AS uuid[]),"
    " CAST(:amounts AS bigint[]), CAST(:reversed AS bigint[])) AS n(transfer_id, amount, reversed)"
    " ORDER BY transfer_id"
    " ON CONFLICT (transfer_id) DO UPDATE SET reversed = r.reversed + excluded.reversed"
    " WHERE r.reversed + excluded.reversed <= r.amount"
)

_INSERT_LOTS = text(
    "INSERT INTO ledger_lots (id, account_id, kind, origin_transfer_id, granted, remaining,"
    " granted_at, expires_at, parent_lot_id)"
    " SELECT id, account_id, kind, transfer_id, granted, granted, granted_at, expires_at, parent"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:account_ids AS uuid[]), CAST(:kinds AS text[]),"
    " CAST(:transfer_ids AS uuid[]), CAST(:granted AS bigint[]),"
    " CAST(:granted_ats AS timestamptz[]), CAST(:expires_ats AS timestamptz[]),"
    " CAST(:parents AS uuid[]))"
    " AS l(id, account_id, kind, transfer_id, granted, granted_at, expires_at, parent)"
)

# Compare and set: even without the lock, a balance that somebody else moved is not overwritten.
_UPDATE_BALANCES = text(
    "UPDATE ledger_accounts a SET balance = a.balance + c.change"
    " FROM unnest(CAST(:account_ids AS uuid[]), CAST(:balances_read AS bigint[]),"
    " CAST(:changes AS bigint[])) AS c(account_id, balance_read, change)"
    " WHERE a.id = c.account_id AND a.balance = c.balance_read"
)


async def post_transfers(tx: Tx, journal: Journal) -> None:
    """Write down what the journal decided.

    Raises RequestBodyDiffers when another transaction used a request id for another account in
    the meantime, BooksOutOfStep when a row is not as it was read.
    """
    if not journal.postings:
        return
    try:
        await _insert_transfers(tx, journal.postings)
    except IntegrityError as error:
        # The earlier transfer was not there when we looked after locking our accounts, so it
        # moved other accounts: it is not what is asked now.
        if violated_constraint(error) == _ONE_EFFECT:
            raise RequestBodyDiffers from error
        raise
    # New lots first, then returns: what arrives in a batch may leave again in it.
    await _insert_lots(tx, journal.postings)
    await _return_to_lots(tx, journal.postings)
    await _draw_from_lots(tx, journal.postings)
    await _count_reversals(tx, journal.postings)
    await _update_balances(tx, journal)


async def _insert_transfers(tx: Tx, postings: Sequence[Posting]) -> None:
    # In the order of request ids: two transactions that meet over two of them wait, not deadlock.
    ordered = sorted(postings, key=lambda posting: (posting.intention.request_id, posting.part))
    entries = [
        side
        for posting in postings
        for side in (
            (
                posting.transfer_id,
                posting.from_account_id,
                -posting.amount,
                posting.from_balance_after,
            ),
            (posting.transfer_id, posting.to_account_id, posting.amount, posting.to_balance_after),
        )
    ]
    reasons = [keep_reason(posting.intention.reason) for posting in ordered]
    told = [
        (posting.transfer_id, reason)
        for posting, reason in zip(ordered, reasons, strict=True)
        if reason is not None
    ]
    await tx.execute(
        _INSERT_TRANSFERS,
        {
            "ids": [posting.transfer_id for posting in ordered],
            "request_ids": [posting.intention.request_id for posting in ordered],
            "parts": [posting.part for posting in ordered],
            "body_hashes": [posting.asked for posting in ordered],
            "kinds": [posting.kind.value for posting in ordered],
            "assets": [posting.asset.value for posting in ordered],
            "from_ids": [posting.from_account_id for posting in ordered],
            "to_ids": [posting.to_account_id for posting in ordered],
            "amounts": [posting.amount for posting in ordered],
            "store_ids": [posting.store_id for posting in ordered],
            "tenders": [posting.tender.value if posting.tender else None for posting in ordered],
            "sealed": [reason.sealed if reason else None for reason in reasons],
            "told_ids": [transfer_id for transfer_id, _ in told],
            "reasons": [reason.words for _, reason in told],
            "salts": [reason.salt for _, reason in told],
            "visit_ids": [posting.intention.visit_id for posting in ordered],
            "staff_ids": [posting.intention.staff_id for posting in ordered],
            "api_key_ids": [posting.intention.api_key_id for posting in ordered],
            "reverses_ids": [
                posting.reverses.transfer_id if posting.reverses else None for posting in ordered
            ],
            "ats": [posting.intention.now for posting in ordered],
            "entry_transfer_ids": [entry[0] for entry in entries],
            "entry_account_ids": [entry[1] for entry in entries],
            "entry_amounts": [entry[2] for entry in entries],
            "entry_balances": [entry[3] for entry in entries],
        },
    )


async def _draw_from_lots(tx: Tx, postings: Sequence[Posting]) -> None:
    draws = [(posting.transfer_id, one) for posting in postings for one in posting.draws]
    if not draws:
        return
    result = await tx.execute(
        _INSERT_DRAWS,
        {
            "transfer_ids": [transfer_id for transfer_id, _ in draws],
            "lot_ids": [one.lot_id for _, one in draws],
            "amounts": [one.amount for _, one in draws],
        },
    )
    _expect_rows(result, len({one.lot_id for _, one in draws}), table="ledger_lots")


async def _return_to_lots(tx: Tx, postings: Sequence[Posting]) -> None:
    returns = [(posting.transfer_id, one) for posting in postings for one in posting.returns]
    if not returns:
        return
    result = await tx.execute(
        _INSERT_RETURNS,
        {
            "transfer_ids": [transfer_id for transfer_id, _ in returns],
            "lot_ids": [one.lot.id for _, one in returns],
            "amounts": [one.amount for _, one in returns],
        },
    )
    _expect_rows(result, len({one.lot.id for _, one in returns}), table="ledger_lots")


async def _count_reversals(tx: Tx, postings: Sequence[Posting]) -> None:
    amounts: dict[TransferId, int] = {}
    reversed_: dict[TransferId, int] = defaultdict(int)
    for posting in postings:
        if posting.reverses is not None:
            amounts[posting.reverses.transfer_id] = posting.reverses.amount
            reversed_[posting.reverses.transfer_id] += posting.amount
    if not amounts:
        return
    result = await tx.execute(
        _INSERT_REVERSALS,
        {
            "transfer_ids": list(amounts),
            "amounts": list(amounts.values()),
            "reversed": [reversed_[transfer_id] for transfer_id in amounts],
        },
    )
    _expect_rows(result, len(amounts), table="ledger_reversals")


async def _insert_lots(tx: Tx, postings: Sequence[Posting]) -> None:
    granted = [(posting, lot) for posting in postings for lot in posting.lots]
    if not granted:
        return
    await tx.execute(
        _INSERT_LOTS,
        {
            "ids": [lot.id for _, lot in granted],
            "account_ids": [posting.to_account_id for posting, _ in granted],
            "kinds": [lot.kind.value for _, lot in granted],
            "transfer_ids": [posting.transfer_id for posting, _ in granted],
            "granted": [lot.amount for _, lot in granted],
            "granted_ats": [lot.granted_at or posting.intention.now for posting, lot in granted],
            "expires_ats": [lot.expires_at for _, lot in granted],
            "parents": [lot.parent_lot_id for _, lot in granted],
        },
    )


async def _update_balances(tx: Tx, journal: Journal) -> None:
    touched = [pocket for pocket in journal.pockets.values() if pocket.is_touched]
    result = await tx.execute(
        _UPDATE_BALANCES,
        {
            "account_ids": [pocket.account_id for pocket in touched],
            "balances_read": [pocket.balance_read for pocket in touched],
            "changes": [pocket.balance - pocket.balance_read for pocket in touched],
        },
    )
    _expect_rows(result, len(touched), table="ledger_accounts")


def _expect_rows(result: Any, expected: int, *, table: str) -> None:
    assert isinstance(result, CursorResult)
    if result.rowcount != expected:
        raise BooksOutOfStep(f"{result.rowcount} of {expected} rows of {table} were as read")
