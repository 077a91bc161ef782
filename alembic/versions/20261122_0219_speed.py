"""speed: rows of the books are checked by statement, not one by one; indexes for what is asked.

A foreign key asks for every row by a query of its own and locks what the row names, be it the
store's account that every charge names. The books name only what is never deleted and never
renumbered, which triggers refuse here; so it is enough that it is there when rows are written, and
one query says so for all rows of a statement.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# What the books name. Nothing in here goes away or changes its number.
NAMED = ("ledger_accounts", "stores", "staff_members", "api_keys")
# Table, column, and the table whose id stands there.
REFERENCES = (
    ("ledger_transfers", "from_account_id", "ledger_accounts"),
    ("ledger_transfers", "to_account_id", "ledger_accounts"),
    ("ledger_transfers", "store_id", "stores"),
    ("ledger_transfers", "staff_id", "staff_members"),
    ("ledger_transfers", "api_key_id", "api_keys"),
    ("ledger_entries", "transfer_id", "ledger_transfers"),
    ("ledger_entries", "account_id", "ledger_accounts"),
    ("ledger_lots", "account_id", "ledger_accounts"),
    ("ledger_lots", "origin_transfer_id", "ledger_transfers"),
)

# Each number once, looked up by the primary key: a subquery that is compared with NULL is never
# turned into a join, and sequential scans are off, so that a plan made for few rows or for a
# young table is right for many rows and a large one.
NAMES_EXIST = """
CREATE FUNCTION {table}_name_what_exists() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
{checks}
    RETURN NULL;
END
$$
"""
NAME_EXISTS = """
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT {column} AS id FROM new_rows WHERE {column} IS NOT NULL) n
        WHERE (SELECT o.id FROM {other} o WHERE o.id = n.id) IS NULL
    ) THEN
        RAISE EXCEPTION '{table}.{column} names nothing in {other}'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{constraint}';
    END IF;
"""

# The same pairs as before, in a twentieth of the time: each name that is written pays for them.
LETTER_PAIRS = """
CREATE OR REPLACE FUNCTION letter_pairs(words text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    low text := lower(words);
    pairs text[] := ARRAY[substr(low, 1, 2)];
BEGIN
    FOR at IN 2 .. char_length(low) - 1 LOOP
        pairs := pairs || substr(low, at, 2);
    END LOOP;
    RETURN pairs;
END
$$
"""
LETTER_PAIRS_BEFORE = """
CREATE OR REPLACE FUNCTION letter_pairs(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(lower(words), at, 2))
    FROM generate_series(1, greatest(char_length(words) - 1, 1)) AS at
$$
"""

# Nearly all rows have NULL there, which nobody looks for.
SPARSE = (("ledger_lots", "parent_lot_id"), ("members", "merged_into_id"))


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in NAMED:
        _guard_named(table)
    for table in sorted({table for table, _, _ in REFERENCES}):
        _check_by_statement(table)
    op.execute(LETTER_PAIRS)
    for table, column in SPARSE:
        name = op.f(f"ix_{table}_{column}")
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    op.create_index(
        "ix_ledger_lots_ending",
        "ledger_lots",
        ["expires_at"],
        postgresql_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_ledger_lots_ending", table_name="ledger_lots")
    for table, column in SPARSE:
        name = op.f(f"ix_{table}_{column}")
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [column])
    op.execute(LETTER_PAIRS_BEFORE)
    for table in sorted({table for table, _, _ in REFERENCES}):
        op.execute(f"DROP TRIGGER names_exist ON {table}")
        op.execute(f"DROP FUNCTION {table}_name_what_exists()")
    for table, column, other in REFERENCES:
        op.create_foreign_key(_constraint(table, column, other), table, other, [column], ["id"])
    for table in NAMED:
        for trigger in ("never_deleted", "never_emptied", "never_renumbered"):
            op.execute(f"DROP TRIGGER {trigger} ON {table}")


def _constraint(table: str, column: str, other: str) -> str:
    return op.f(f"fk_{table}_{column}_{other}")


def _guard_named(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # One that names columns costs an UPDATE of others nothing.
    op.execute(
        f"CREATE TRIGGER never_renumbered BEFORE UPDATE OF id ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _check_by_statement(table: str) -> None:
    checks = ""
    for referring, column, other in REFERENCES:
        if referring != table:
            continue
        constraint = _constraint(table, column, other)
        checks += NAME_EXISTS.format(table=table, column=column, other=other, constraint=constraint)
        op.drop_constraint(constraint, table, type_="foreignkey")
    op.execute(NAMES_EXIST.format(table=table, checks=checks))
    op.execute(
        f"CREATE TRIGGER names_exist AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_name_what_exists()"
    )
