"""imports: files that bring in old cards and bills, and their rows until they are carried over.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = (
    "import_faults",
    "import_chunks",
    "import_purchase_rows",
    "import_card_rows",
    "imports",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "import_card_rows",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("bonus_fen", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("tier_id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("fault_detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_import_card_rows")),
    )
    op.create_table(
        "import_purchase_rows",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("card_no", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("bought_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=True),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("fault_detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_import_purchase_rows")),
    )
    op.create_index(
        "ix_import_purchase_rows_bill",
        "import_purchase_rows",
        ["import_id", "external_id"],
        unique=False,
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "cards",
                "purchases",
                name="import_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "uploaded",
                "checked",
                "unreadable",
                "confirmed",
                "done",
                "withdrawn",
                name="import_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=True),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("uploaded_by", sa.UUID(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bytes_read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("form", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("faulty_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bonus_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("confirmed_by", sa.UUID(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor_line", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cursor_key", sa.Text(), server_default="", nullable=False),
        sa.Column("done_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("left_out_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("emptied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'unreadable') = (problem IS NOT NULL)", name=op.f("ck_imports_problem_told")
        ),
        sa.CheckConstraint(
            "(status IN ('confirmed', 'done')) = (confirmed_at IS NOT NULL)",
            name=op.f("ck_imports_confirmed_at_a_time"),
        ),
        sa.CheckConstraint(
            "(status IN ('unreadable', 'withdrawn', 'done')) = (ended_at IS NOT NULL)",
            name=op.f("ck_imports_ended_at_a_time"),
        ),
        sa.CheckConstraint(
            "kind <> 'cards' OR confirmed_at IS NULL"
            " OR (confirmed_by IS NOT NULL AND confirmed_by IS DISTINCT FROM uploaded_by)",
            name=op.f("ck_imports_confirmed_by_another"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_imports_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"],
            ["staff_members.id"],
            name=op.f("fk_imports_confirmed_by_staff_members"),
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_imports_store_id_stores")
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["staff_members.id"], name=op.f("fk_imports_uploaded_by_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_brand", "imports", ["brand_id", "uploaded_at"], unique=False)
    op.create_index(
        "ix_imports_due",
        "imports",
        ["uploaded_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('uploaded', 'confirmed')"),
    )
    op.create_index(
        "uq_imports_file",
        "imports",
        ["brand_id", "kind", "sha256"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('withdrawn', 'unreadable')"),
    )
    op.create_table(
        "import_chunks",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_chunks_import_id_imports")
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_chunks")),
    )
    op.create_table(
        "import_faults",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_faults_import_id_imports")
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_faults")),
    )
    # Pieces of files are written once and read once: compressing them is in vain.
    op.execute("ALTER TABLE import_chunks ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Undo."""
    for table in TABLES:
        op.drop_table(table)
