"""What members, cards and accounts name is there and stays, though no foreign key says so."""

import pytest
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from tests.factories.ledger import rows
from tests.factories.organisation import given_account, given_brand, given_store
from tests.integration.ledger.test_constraints import refused_by

NOBODY = "'00000000-0000-7000-8000-00000000dead'::uuid"
# What each column may be instead, in the only brand with its only tier and store.
VALUES = {
    "members": {
        "id": "gen_random_uuid()",
        "brand_id": "(SELECT id FROM brands)",
        "tier_id": "(SELECT id FROM tiers)",
        "status": "'active'",
        "home_store_id": "(SELECT id FROM stores)",
        "joined_at": "now()",
    },
    "cards": {
        "id": "gen_random_uuid()",
        "brand_id": "(SELECT id FROM brands)",
        "member_id": "(SELECT id FROM members LIMIT 1)",
        "card_no": "(SELECT lpad((count(*) + 1)::text, 16, '6') FROM cards)",
        "status": "'replaced'",
        "issued_at": "now()",
    },
    "offline_cards": {
        "id": "gen_random_uuid()",
        "brand_id": "(SELECT id FROM brands)",
        "member_id": "(SELECT id FROM members LIMIT 1)",
        "card_no": "(SELECT 'CARD' || count(*) FROM offline_cards)",
        "status": "'unbound'",
        "store_id": "(SELECT id FROM stores)",
        "created_at": "now()",
    },
    "ledger_accounts": {
        "id": "gen_random_uuid()",
        "brand_id": "(SELECT id FROM brands)",
        "kind": "'member_points'",
        "asset": "'points'",
        "owner_id": "gen_random_uuid()",
        "balance": "0",
        "created_at": "now()",
    },
}
NAMES = (
    ("members", "brand_id", "brands"),
    ("members", "tier_id", "tiers"),
    ("members", "home_store_id", "stores"),
    ("cards", "brand_id", "brands"),
    ("offline_cards", "brand_id", "brands"),
    ("offline_cards", "store_id", "stores"),
    ("ledger_accounts", "brand_id", "brands"),
)


def new_rows(table: str, **instead: str) -> str:
    values = VALUES[table] | instead
    return f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())}"


async def given_one_of_each(tx: Tx) -> None:
    brand = await given_brand(tx)
    account = await given_account(tx, brand, seal=Seal("a key for tests that is long enough"))
    await given_store(tx, brand, account)
    for table in VALUES:
        await tx.execute(text(new_rows(table)))


@pytest.mark.parametrize("table,column,other", NAMES)
async def test_what_is_not_there_is_not_named(tx: Tx, table: str, column: str, other: str) -> None:
    await given_one_of_each(tx)
    constraint = f"fk_{table}_{column}_{other}"

    assert await refused_by(tx, new_rows(table, **{column: NOBODY})) == constraint
    assert await refused_by(tx, f"UPDATE {table} SET {column} = {NOBODY}") == constraint


@pytest.mark.parametrize("table,column,other", NAMES)
async def test_one_bad_name_among_many_is_found(
    tx: Tx, table: str, column: str, other: str
) -> None:
    await given_one_of_each(tx)
    numbers = {"card_no": "'777777777777777' || n"} if table in {"cards", "offline_cards"} else {}
    good = VALUES[table][column]
    mixed = new_rows(table, **numbers, **{column: f"CASE n WHEN 2 THEN {NOBODY} ELSE {good} END"})

    many = f"{mixed} FROM generate_series(1, 3) n"

    assert await refused_by(tx, many) == f"fk_{table}_{column}_{other}"


@pytest.mark.parametrize("table,column,other", NAMES)
async def test_without_the_triggers_it_would_be(
    tx: Tx, table: str, column: str, other: str
) -> None:
    await given_one_of_each(tx)
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for trigger in ("names_exist", "names_still_exist"):
        await tx.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}"))

    await tx.execute(text(new_rows(table, **{column: NOBODY})))
    await tx.execute(text(f"UPDATE {table} SET {column} = {NOBODY}"))
    assert await rows(tx, f"SELECT DISTINCT CAST({column} AS text) FROM {table}") == [
        (NOBODY.split("'")[1],)
    ]


@pytest.mark.parametrize("table", ["brands", "tiers"])
async def test_what_is_named_stays(tx: Tx, table: str) -> None:
    await given_one_of_each(tx)

    assert await refused_by(tx, f"DELETE FROM {table}") == "append_only"
    assert await refused_by(tx, f"UPDATE {table} SET id = gen_random_uuid()") == "append_only"
    assert await refused_by(tx, f"TRUNCATE {table} CASCADE") == "append_only"


async def test_nobody_names_no_store(tx: Tx) -> None:
    await given_one_of_each(tx)

    await tx.execute(text(new_rows("members", home_store_id="NULL")))
    await tx.execute(text("UPDATE members SET home_store_id = NULL"))
    assert await rows(tx, "SELECT count(*), count(home_store_id) FROM members") == [(2, 0)]
