"""ledger seals: sealed stretches of history, and what stores owe card holders day by day.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What says where the value in a lot comes from. Only `remaining` moves, and that has no trigger:
# one that names columns costs an UPDATE of others nothing.
GRANT_COLUMNS = (
    "id, account_id, kind, origin_transfer_id, granted, granted_at, expires_at, parent_lot_id"
)


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _create_seals()
    _create_marks()
    _create_liability_days()
    # The lots that a transfer granted: sealed with it, and taken back with it.
    op.create_index("ix_ledger_lots_origin_transfer_id", "ledger_lots", ["origin_transfer_id"])
    op.execute(
        f"CREATE TRIGGER grant_stands BEFORE UPDATE OF {GRANT_COLUMNS} ON ledger_lots"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_lots"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE ON ledger_lots"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_seals"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_seals"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Undo."""
    for name in ("never_deleted", "never_emptied", "grant_stands"):
        op.execute(f"DROP TRIGGER {name} ON ledger_lots")
    op.drop_index("ix_ledger_lots_origin_transfer_id", table_name="ledger_lots")
    op.drop_index("ix_ledger_liability_days_report", table_name="ledger_liability_days")
    op.drop_table("ledger_liability_days")
    op.drop_table("ledger_seal_marks")
    op.drop_table("ledger_seals")


def _create_seals() -> None:
    op.create_table(
        "ledger_seals",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", sa.SmallInteger(), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("to_seq", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("from_seq <= to_seq", name=op.f("ck_ledger_seals_stretch_in_order")),
        sa.CheckConstraint("entries > 0", name=op.f("ck_ledger_seals_entries_positive")),
        sa.CheckConstraint(
            "octet_length(leaves) = 32 * entries",
            name=op.f("ck_ledger_seals_a_leaf_for_each_entry"),
        ),
        sa.CheckConstraint(
            "octet_length(root) = 32 AND octet_length(prev_hash) = 32 AND octet_length(hash) = 32",
            name=op.f("ck_ledger_seals_hashes_whole"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_seals")),
        sa.UniqueConstraint("from_seq", name=op.f("uq_ledger_seals_from_seq")),
    )


def _create_marks() -> None:
    op.create_table(
        "ledger_seal_marks",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("decided_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("drawn_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "waiting_for",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("sealed_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sealed_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_seal_marks_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_seal_marks")),
    )


def _create_liability_days() -> None:
    op.create_table(
        "ledger_liability_days",
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "lot_kind",
            sa.Enum(
                "principal",
                "bonus",
                "points",
                name="lot_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id"],
            ["brands.id"],
            name=op.f("fk_ledger_liability_days_brand_id_brands"),
        ),
        sa.PrimaryKeyConstraint(
            "owner_id", "day", "kind", "lot_kind", name=op.f("pk_ledger_liability_days")
        ),
    )
    op.create_index("ix_ledger_liability_days_report", "ledger_liability_days", ["brand_id", "day"])
