"""names by statement: brands, tiers and stores of members, cards and accounts.

A foreign key asks for every row by a query of its own and locks what the row names. Where members
come by the thousand, all name the same brand, tier and store, and two who write at once make that
lock a shared one that is looked up again for each row: a fifth of all the work. Brands and tiers
are from here on never deleted nor renumbered, as stores already are, so nothing needs a lock: one
query for all rows of a statement says that what they name is there.

That a card's member is there stays a foreign key: its lock makes who merges or deletes a member
and who gives him a card wait for each other.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

NAMED = ("brands", "tiers")
# Table, column, and the table whose id stands there.
REFERENCES = (
    ("members", "brand_id", "brands"),
    ("members", "tier_id", "tiers"),
    ("members", "home_store_id", "stores"),
    ("cards", "brand_id", "brands"),
    ("offline_cards", "brand_id", "brands"),
    ("offline_cards", "store_id", "stores"),
    ("ledger_accounts", "brand_id", "brands"),
)
TABLES = ("members", "cards", "offline_cards", "ledger_accounts")

FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
{checks}
    RETURN NULL;
END
$$
"""
# Each number once, looked up by the primary key, as in `speed`.
OF_NEW_ROWS = """
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT {column} AS id FROM new_rows WHERE {column} IS NOT NULL) n
        WHERE (SELECT o.id FROM {other} o WHERE o.id = n.id) IS NULL
    ) THEN
        {refuse}
    END IF;
"""
OF_CHANGED_ROW = """
    IF NEW.{column} IS DISTINCT FROM OLD.{column} AND NEW.{column} IS NOT NULL
        AND (SELECT o.id FROM {other} o WHERE o.id = NEW.{column}) IS NULL
    THEN
        {refuse}
    END IF;
"""
REFUSE = """RAISE EXCEPTION '{table}.{column} names nothing in {other}'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{constraint}';"""


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in NAMED:
        _guard_named(table)
    for table in TABLES:
        _check_by_statement(table)


def downgrade() -> None:
    """Undo."""
    for table in TABLES:
        op.execute(f"DROP TRIGGER names_exist ON {table}")
        op.execute(f"DROP TRIGGER names_still_exist ON {table}")
        op.execute(f"DROP FUNCTION {table}_name_what_exists()")
        op.execute(f"DROP FUNCTION {table}_still_name_what_exists()")
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
    op.execute(
        f"CREATE TRIGGER never_renumbered BEFORE UPDATE OF id ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _check_by_statement(table: str) -> None:
    references = [(column, other) for t, column, other in REFERENCES if t == table]
    for column, other in references:
        op.drop_constraint(_constraint(table, column, other), table, type_="foreignkey")
    name = f"{table}_name_what_exists"
    op.execute(FUNCTION.format(name=name, checks=_checks(OF_NEW_ROWS, table)))
    op.execute(
        f"CREATE TRIGGER names_exist AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
    # Of its columns only: a balance that changes with every charge pays nothing for it.
    still = f"{table}_still_name_what_exists"
    columns = ", ".join(column for column, _ in references)
    op.execute(FUNCTION.format(name=still, checks=_checks(OF_CHANGED_ROW, table)))
    op.execute(
        f"CREATE TRIGGER names_still_exist AFTER UPDATE OF {columns} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {still}()"
    )


def _checks(template: str, table: str) -> str:
    checks = ""
    for referring, column, other in REFERENCES:
        if referring != table:
            continue
        names = {"table": table, "column": column, "other": other}
        refuse = REFUSE.format(**names, constraint=_constraint(table, column, other))
        checks += template.format(**names, refuse=refuse)
    return checks
