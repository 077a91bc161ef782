"""What the database itself refuses, whoever asks: each constraint and trigger of the books."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import Tx, violated_constraint
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from tests.factories.ledger import Books, debit, everything, given_books, given_top_up, rows


async def given_history(tx: Tx) -> Books:
    books = await given_books(tx)
    await given_top_up(tx, books, principal_fen=5_000, bonus_fen=500)
    await debit_stored_value(tx, [debit(books, 100)])
    return books


async def refused_by(tx: Tx, statement: str) -> str | None:
    """The constraint that refused the statement, which left nothing behind."""
    before = await everything(tx)
    with pytest.raises(DBAPIError) as refusal:
        async with tx.begin_nested():
            await tx.execute(text(statement))
    assert await everything(tx) == before
    return violated_constraint(refusal.value)


PAST = ("ledger_transfers", "ledger_entries", "ledger_lot_draws")
DEBIT = "(SELECT id FROM ledger_transfers WHERE kind = 'debit')"
SALES = "(SELECT id FROM ledger_accounts WHERE kind = 'store_sales' LIMIT 1)"
POCKET = "(SELECT id FROM ledger_accounts WHERE balance > 0)"


@pytest.mark.parametrize("table", PAST)
async def test_the_past_cannot_be_changed_or_removed(tx: Tx, table: str) -> None:
    await given_history(tx)

    assert await refused_by(tx, f"UPDATE {table} SET amount = amount") == "append_only"
    assert await refused_by(tx, f"DELETE FROM {table}") == "append_only"
    assert await refused_by(tx, f"TRUNCATE {table} CASCADE") == "append_only"


@pytest.mark.parametrize("table", PAST)
async def test_without_its_trigger_the_past_can_be_changed(tx: Tx, table: str) -> None:
    await given_history(tx)
    await tx.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))

    await tx.execute(text(f"UPDATE {table} SET amount = amount + 1"))


def new_transfer(**columns: str) -> str:
    """A copy of the debit under a request of its own, in one CTE `t`."""
    values = {
        "id": "gen_random_uuid()",
        "request_id": "gen_random_uuid()",
        "part": "0",
        "body_hash": "body_hash",
        "kind": "kind",
        "asset": "asset",
        "from_account_id": "from_account_id",
        "to_account_id": "to_account_id",
        "amount": "amount",
        "store_id": "store_id",
        "tender": "tender",
        "created_at": "created_at",
        **columns,
    }
    return (
        f"INSERT INTO ledger_transfers ({', '.join(values)})"
        f" SELECT {', '.join(values.values())} FROM ledger_transfers WHERE kind = 'debit'"
    )


def with_entries(values: str) -> str:
    """A new transfer with these entries, as (account, amount, balance after)."""
    return (
        f"WITH t AS ({new_transfer()} RETURNING id)"
        " INSERT INTO ledger_entries (transfer_id, account_id, amount, balance_after)"
        f" SELECT t.id, e.* FROM t, (VALUES {values}) AS e"
    )


ONE_SIDED = with_entries(f"({SALES}, 100, NULL::bigint)")
CREATING = with_entries(f"({SALES}, 100, NULL), ({POCKET}, -99, 1::bigint)")


@pytest.mark.parametrize("statement", [ONE_SIDED, CREATING], ids=["one side", "unequal sides"])
async def test_entries_that_do_not_sum_to_zero_are_refused(tx: Tx, statement: str) -> None:
    await given_history(tx)

    assert await refused_by(tx, statement) == "entries_sum_to_zero"


@pytest.mark.parametrize("statement", [ONE_SIDED, CREATING], ids=["one side", "unequal sides"])
async def test_without_the_trigger_money_comes_from_nowhere(tx: Tx, statement: str) -> None:
    await given_history(tx)
    # A trigger cannot be switched off while checks of foreign keys are still to come.
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await tx.execute(text("ALTER TABLE ledger_entries DISABLE TRIGGER sum_to_zero"))

    await tx.execute(text(statement))

    [(total,)] = await rows(tx, "SELECT sum(amount) FROM ledger_entries")
    assert total != 0


async def test_entries_with_two_equal_sides_are_accepted(tx: Tx) -> None:
    await given_history(tx)

    await tx.execute(text(with_entries(f"({SALES}, 100, NULL), ({POCKET}, -100, 5300::bigint)")))


@pytest.mark.parametrize(
    "statement,constraint",
    [
        (
            "UPDATE ledger_accounts SET balance = -1 WHERE balance > 0",
            "ck_ledger_accounts_balance_not_negative",
        ),
        (
            "UPDATE ledger_accounts SET balance = NULL WHERE balance > 0",
            "ck_ledger_accounts_balance_kept_for_members",
        ),
        (
            "UPDATE ledger_accounts SET balance = 0 WHERE kind = 'store_sales'",
            "ck_ledger_accounts_balance_kept_for_members",
        ),
        (
            (
                "INSERT INTO ledger_accounts SELECT gen_random_uuid(), brand_id, kind, asset,"
                " owner_id, balance, created_at FROM ledger_accounts WHERE balance > 0"
            ),
            "uq_ledger_accounts_owner_id_kind",
        ),
        (
            "UPDATE ledger_lots SET remaining = -1 WHERE kind = 'bonus'",
            "ck_ledger_lots_remaining_in_range",
        ),
        (
            "UPDATE ledger_lots SET remaining = granted + 1 WHERE kind = 'bonus'",
            "ck_ledger_lots_remaining_in_range",
        ),
        (
            (
                "INSERT INTO ledger_lots SELECT gen_random_uuid(), account_id, kind,"
                " origin_transfer_id, 0, 0, granted_at, NULL FROM ledger_lots WHERE kind = 'bonus'"
            ),
            "ck_ledger_lots_granted_positive",
        ),
        (
            "INSERT INTO ledger_lot_draws SELECT transfer_id, lot_id, 1 FROM ledger_lot_draws",
            "pk_ledger_lot_draws",
        ),
        (
            "INSERT INTO ledger_lot_draws SELECT origin_transfer_id, id, 0 FROM ledger_lots",
            "ck_ledger_lot_draws_amount_positive",
        ),
        (new_transfer(amount="0"), "ck_ledger_transfers_amount_positive"),
        (new_transfer(to_account_id="from_account_id"), "ck_ledger_transfers_two_accounts"),
        (new_transfer(tender="'cash'"), "ck_ledger_transfers_tender_where_money_changes_hands"),
        (new_transfer(kind="'top_up'"), "ck_ledger_transfers_tender_where_money_changes_hands"),
        (new_transfer(store_id="NULL"), "ck_ledger_transfers_store_where_one_takes_part"),
        (new_transfer(kind="'debit_reversed'"), "ck_ledger_transfers_reverses_something"),
        (new_transfer(reverses_id="id"), "ck_ledger_transfers_reverses_something"),
        (new_transfer(request_id="request_id"), "uq_ledger_transfers_request_id_part"),
        (new_transfer(kind="'gift'"), "ck_ledger_transfers_transfer_kind"),
        (
            with_entries(f"({SALES}, 0, NULL), ({POCKET}, 0, 1::bigint)"),
            "ck_ledger_entries_amount_not_zero",
        ),
        (
            with_entries(f"({SALES}, 1, NULL), ({POCKET}, -1, -1::bigint)"),
            "ck_ledger_entries_balance_after_not_negative",
        ),
        (
            with_entries(f"({SALES}, 1, NULL::bigint), ({SALES}, -1, NULL)"),
            "uq_ledger_entries_transfer_id_account_id",
        ),
    ],
)
async def test_rows_that_cannot_be_true_are_refused(
    tx: Tx, statement: str, constraint: str
) -> None:
    await given_history(tx)

    assert await refused_by(tx, statement) == constraint
