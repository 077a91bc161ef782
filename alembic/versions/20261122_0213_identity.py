"""identity: phone verifications, members who become one and what went along.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_verifications()
    _create_merges()
    op.create_index(
        "ix_members_brand_phone",
        "members",
        ["brand_id", "phone"],
        postgresql_where=sa.text("phone IS NOT NULL"),
    )


def _create_verifications() -> None:
    op.create_table(
        "phone_verifications",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("fan_id", sa.UUID(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "bind",
                "step_up",
                name="verification_purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("terms_version", sa.Text(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "expires_at <= created_at + interval '5 minutes'",
            name=op.f("ck_phone_verifications_five_minutes"),
        ),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_phone_verifications_five_tries")),
        sa.CheckConstraint(
            "phone ~ '^1[3-9][0-9]{9}$'", name=op.f("ck_phone_verifications_phone_is_plain")
        ),
        sa.ForeignKeyConstraint(
            ["fan_id"], ["fans.id"], name=op.f("fk_phone_verifications_fan_id_fans")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_verifications")),
    )
    op.create_index(
        "uq_phone_verifications_live",
        "phone_verifications",
        ["fan_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    for name, columns in (
        ("phone", ["phone", "created_at"]),
        ("fan", ["fan_id", "created_at"]),
        ("address", ["address_hash", "created_at"]),
        ("created_at", ["created_at"]),
    ):
        op.create_index(f"ix_phone_verifications_{name}", "phone_verifications", columns)


def _create_merges() -> None:
    op.create_table(
        "member_merges",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("from_member_id", sa.UUID(), nullable=False),
        sa.Column("into_member_id", sa.UUID(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by_kind", sa.Text(), nullable=False),
        sa.Column("merged_by_id", sa.UUID(), nullable=True),
        sa.Column("snapshot", postgresql.JSONB(), nullable=False),
        sa.Column("undo_request_id", sa.UUID(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_kind", sa.Text(), nullable=True),
        sa.Column("undone_by_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "from_member_id <> into_member_id", name=op.f("ck_member_merges_two_members")
        ),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undo_request_id IS NULL)",
            name=op.f("ck_member_merges_undone_by_request"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_member_merges_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["from_member_id"],
            ["members.id"],
            name=op.f("fk_member_merges_from_member_id_members"),
        ),
        sa.ForeignKeyConstraint(
            ["into_member_id"],
            ["members.id"],
            name=op.f("fk_member_merges_into_member_id_members"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_merges")),
        sa.UniqueConstraint("request_id", name=op.f("uq_member_merges_request_id")),
        sa.UniqueConstraint("undo_request_id", name=op.f("uq_member_merges_undo_request_id")),
    )
    op.create_index("ix_member_merges_into", "member_merges", ["into_member_id", "merged_at"])
    op.create_index(
        "uq_member_merges_in_force",
        "member_merges",
        ["from_member_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "member_merge_moves",
        sa.Column("merge_id", sa.UUID(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merge_id"],
            ["member_merges.id"],
            name=op.f("fk_member_merge_moves_merge_id_member_merges"),
        ),
        sa.PrimaryKeyConstraint(
            "merge_id", "table_name", "row_key", name=op.f("pk_member_merge_moves")
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_members_brand_phone", table_name="members")
    op.drop_table("member_merge_moves")
    op.drop_table("member_merges")
    op.drop_table("phone_verifications")
