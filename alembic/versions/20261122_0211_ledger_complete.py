"""ledger complete: holds name the transfers which ended them.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CHECKS = {
    "posted_by_a_transfer": "(posted > 0) = (posted_id IS NOT NULL)",
    "rest_released_by_a_transfer": (
        "(status <> 'pending' AND posted < amount) = (released_id IS NOT NULL)"
    ),
}


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "ledger_holds",
        sa.Column("draw_order", sa.Text(), server_default="proportional", nullable=False),
    )
    op.add_column("ledger_holds", sa.Column("posted_id", sa.UUID(), nullable=True))
    op.add_column("ledger_holds", sa.Column("released_id", sa.UUID(), nullable=True))
    op.create_unique_constraint(op.f("uq_ledger_holds_posted_id"), "ledger_holds", ["posted_id"])
    for column in ("posted_id", "released_id"):
        op.create_foreign_key(
            op.f(f"fk_ledger_holds_{column}_ledger_transfers"),
            "ledger_holds",
            "ledger_transfers",
            [column],
            ["id"],
        )
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_ledger_holds_{name}"), "ledger_holds", condition)


def downgrade() -> None:
    """Undo."""
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_ledger_holds_{name}"), "ledger_holds")
    for column in ("posted_id", "released_id"):
        op.drop_constraint(
            op.f(f"fk_ledger_holds_{column}_ledger_transfers"), "ledger_holds", type_="foreignkey"
        )
    op.drop_constraint(op.f("uq_ledger_holds_posted_id"), "ledger_holds", type_="unique")
    op.drop_column("ledger_holds", "released_id")
    op.drop_column("ledger_holds", "posted_id")
    op.drop_column("ledger_holds", "draw_order")
