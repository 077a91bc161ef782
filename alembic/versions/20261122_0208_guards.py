"""guards: append-only books and audit, entries that sum to zero, lots that match balances.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "ledger_transfers",
    "ledger_entries",
    "ledger_lot_draws",
    "audit_entries",
)

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END
$$
"""

# Statement level with a transition table: one check per INSERT, however many rows it has.
# Both sides of a transfer are therefore written by one statement.
ENTRIES_SUM_TO_ZERO = """
CREATE FUNCTION entries_sum_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM new_entries GROUP BY transfer_id
        HAVING sum(amount) <> 0 OR count(*) <> 2
    ) THEN
        RAISE EXCEPTION 'entries of a transfer do not sum to zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_sum_to_zero';
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(REFUSE_CHANGE)
    op.execute(ENTRIES_SUM_TO_ZERO)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER sum_to_zero AFTER INSERT ON ledger_entries"
        " REFERENCING NEW TABLE AS new_entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION entries_sum_to_zero()"
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DROP TRIGGER sum_to_zero ON ledger_entries")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION entries_sum_to_zero()")
    op.execute("DROP FUNCTION refuse_change()")
