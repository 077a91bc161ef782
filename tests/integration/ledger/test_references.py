"""What the books name is there and stays there, though no foreign key says so."""

import pytest
from sqlalchemy import text

from o2o.infra.database import Tx
from tests.factories.ledger import rows
from tests.integration.ledger.test_constraints import (
    POCKET,
    SALES,
    given_history,
    new_transfer,
    refused_by,
)

NOBODY = "'00000000-0000-7000-8000-00000000dead'::uuid"
TRANSFER = "fk_ledger_transfers"
UNKNOWN = {
    f"{TRANSFER}_from_account_id_ledger_accounts": new_transfer(from_account_id=NOBODY),
    f"{TRANSFER}_to_account_id_ledger_accounts": new_transfer(to_account_id=NOBODY),
    f"{TRANSFER}_store_id_stores": new_transfer(store_id=NOBODY),
    f"{TRANSFER}_staff_id_staff_members": new_transfer(staff_id=NOBODY),
    f"{TRANSFER}_api_key_id_api_keys": new_transfer(api_key_id=NOBODY),
    "fk_ledger_entries_transfer_id_ledger_transfers": (
        "INSERT INTO ledger_entries (transfer_id, account_id, amount)"
        f" VALUES ({NOBODY}, {SALES}, 5), ({NOBODY}, {POCKET}, -5)"
    ),
    "fk_ledger_entries_account_id_ledger_accounts": (
        f"WITH t AS ({new_transfer()} RETURNING id)"
        " INSERT INTO ledger_entries (transfer_id, account_id, amount)"
        f" SELECT t.id, e.* FROM t, (VALUES ({NOBODY}, 5), ({POCKET}, -5)) AS e"
    ),
    "fk_ledger_lots_account_id_ledger_accounts": (
        "INSERT INTO ledger_lots (id, account_id, kind, origin_transfer_id, granted, remaining,"
        f" granted_at) SELECT gen_random_uuid(), {NOBODY}, kind, origin_transfer_id, 5, 5,"
        " granted_at FROM ledger_lots"
    ),
    "fk_ledger_lots_origin_transfer_id_ledger_transfers": (
        "INSERT INTO ledger_lots (id, account_id, kind, origin_transfer_id, granted, remaining,"
        f" granted_at) SELECT gen_random_uuid(), account_id, kind, {NOBODY}, 5, 5,"
        " granted_at FROM ledger_lots"
    ),
}
# Each with a table that is named in the books.
NAMED = ("ledger_accounts", "stores", "staff_members", "api_keys")


@pytest.mark.parametrize("constraint,statement", UNKNOWN.items(), ids=UNKNOWN)
async def test_what_is_not_there_is_not_named(tx: Tx, constraint: str, statement: str) -> None:
    await given_history(tx)

    assert await refused_by(tx, statement) == constraint


@pytest.mark.parametrize("constraint,statement", UNKNOWN.items(), ids=UNKNOWN)
async def test_without_the_trigger_it_would_be(tx: Tx, constraint: str, statement: str) -> None:
    await given_history(tx)
    table = constraint.removeprefix("fk_").split("_")[1]
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await tx.execute(text(f"ALTER TABLE ledger_{table} DISABLE TRIGGER names_exist"))

    await tx.execute(text(statement))


async def test_one_bad_name_among_many_is_found(tx: Tx) -> None:
    await given_history(tx)
    many = (
        f"WITH t AS ({new_transfer()} RETURNING id, from_account_id, to_account_id),"
        f" u AS ({new_transfer()} RETURNING id)"
        " INSERT INTO ledger_entries (transfer_id, account_id, amount)"
        " SELECT id, from_account_id, -5 FROM t UNION ALL SELECT id, to_account_id, 5 FROM t"
        f" UNION ALL SELECT id, {POCKET}, -5 FROM u UNION ALL SELECT id, {NOBODY}, 5 FROM u"
    )

    assert await refused_by(tx, many) == "fk_ledger_entries_account_id_ledger_accounts"


@pytest.mark.parametrize("table", NAMED)
async def test_what_is_named_stays(tx: Tx, table: str) -> None:
    await given_history(tx)
    [(there,)] = await rows(tx, f"SELECT count(*) FROM {table}")
    if not there:
        # A row is needed for a trigger of rows; whose it is does not matter here.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text(f"INSERT INTO {table} {ANYBODY[table]}"))
        await tx.execute(text("SET LOCAL session_replication_role = origin"))

    assert await refused_by(tx, f"DELETE FROM {table}") == "append_only"
    assert await refused_by(tx, f"UPDATE {table} SET id = gen_random_uuid()") == "append_only"
    assert await refused_by(tx, f"TRUNCATE {table} CASCADE") == "append_only"


ANYBODY = {
    "staff_members": (
        "(id, brand_id, login, name, created_at)"
        " SELECT gen_random_uuid(), brand_id, 'a', 'A', now() FROM stores LIMIT 1"
    ),
    "api_keys": (
        "(id, brand_id, name, key_hash, scopes, unattended_debit_fen_max, created_at)"
        " SELECT gen_random_uuid(), brand_id, 'A', '\\x00', '{}', 1, now() FROM stores LIMIT 1"
    ),
}
