"""repairs: accounts of those who left are closed, reasons stand beside the books.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

CLOSED_IS_EMPTY = "ck_ledger_accounts_closed_is_empty"


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "ledger_accounts", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True)
    )
    # Whoever left before this may have had something given back since: theirs stay open.
    op.execute(
        "UPDATE ledger_accounts a SET closed_at = m.deleted_at FROM members m"
        " WHERE m.id = a.owner_id AND m.deleted_at IS NOT NULL AND a.balance = 0"
    )
    op.create_check_constraint(
        op.f(CLOSED_IS_EMPTY), "ledger_accounts", "closed_at IS NULL OR balance = 0"
    )
    op.create_table(
        "ledger_reasons",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_ledger_reasons")),
    )
    op.execute(
        "CREATE TRIGGER never_changed BEFORE UPDATE ON ledger_reasons"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("ledger_reasons")
    op.drop_constraint(op.f(CLOSED_IS_EMPTY), "ledger_accounts", type_="check")
    op.drop_column("ledger_accounts", "closed_at")
