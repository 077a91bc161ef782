"""wait_estimate: what was learnt about the waits of a queue.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "wait_models",
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("learnt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("waits", sa.BigInteger(), nullable=False),
        sa.Column("learnt", JSONB(), nullable=True),
        sa.CheckConstraint(
            "days >= 0 AND waits >= 0", name=op.f("ck_wait_models_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_wait_models_queue_id_queues")
        ),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_wait_models")),
    )
    # The reader of broken promises looks at those who wait, whichever day it is.
    op.create_index(
        "ix_tickets_promise",
        "tickets",
        ["taken_at"],
        postgresql_where=sa.text("status = 'waiting' AND promise_missed_at IS NULL"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_tickets_promise", table_name="tickets")
    op.drop_table("wait_models")
