"""bridge: halls whose own machine calls, and what it last said.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bridges",
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_bridges_seq_not_negative")),
        sa.CheckConstraint(
            "(seq = 0) = (heard_at IS NULL)", name=op.f("ck_bridges_heard_with_the_first")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_bridges_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_bridges")),
    )
    op.create_table(
        "bridge_lines",
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("called_number", sa.BigInteger(), nullable=True),
        sa.Column("called_desk", sa.Text(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "waiting BETWEEN 0 AND 9999", name=op.f("ck_bridge_lines_waiting_in_range")
        ),
        sa.CheckConstraint(
            "called_number BETWEEN 1 AND 9999", name=op.f("ck_bridge_lines_called_number_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_bridge_lines_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["bridges.store_id"], name=op.f("fk_bridge_lines_store_id_bridges")
        ),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_bridge_lines")),
    )
    # How many are ahead of a ticket at the machine that has taken it in.
    op.add_column("tickets", sa.Column("ahead_at_machine", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("tickets", "ahead_at_machine")
    op.drop_table("bridge_lines")
    op.drop_table("bridges")
