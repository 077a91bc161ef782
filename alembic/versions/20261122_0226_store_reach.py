"""store reach: how near counts as at the store; which address of its display is good.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# Name, default, what may stand in it.
COLUMNS = (
    ("reach_m", "200", "reach_in_range", "reach_m BETWEEN 50 AND 2000"),
    ("display_edition", "1", "display_edition_positive", "display_edition > 0"),
)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, default, check, condition in COLUMNS:
        op.add_column(
            "queue_settings",
            sa.Column(name, sa.SmallInteger(), server_default=sa.text(default), nullable=False),
        )
        op.create_check_constraint(op.f(f"ck_queue_settings_{check}"), "queue_settings", condition)


def downgrade() -> None:
    """Take back."""
    for name, _, check, _ in reversed(COLUMNS):
        op.drop_constraint(op.f(f"ck_queue_settings_{check}"), "queue_settings", type_="check")
        op.drop_column("queue_settings", name)
