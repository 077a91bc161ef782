"""privacy: refunds that members ask for, money offered to others, copies of one's data.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "refund_requests",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("top_up_id", sa.UUID(), nullable=True),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column(
            "payout",
            sa.Enum(
                "counter",
                "bank",
                name="refund_payout",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_by_right", sa.Boolean(), nullable=False),
        sa.Column("quoted_fen", sa.BigInteger(), nullable=False),
        sa.Column("payee_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "paid",
                "withdrawn",
                "refused",
                name="refund_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.UUID(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("transfer_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "(status = 'asked') = (ended_at IS NULL)",
            name=op.f("ck_refund_requests_ended_at_a_time"),
        ),
        sa.CheckConstraint(
            "(status = 'paid') = (transfer_id IS NOT NULL)",
            name=op.f("ck_refund_requests_paid_means_moved"),
        ),
        sa.CheckConstraint(
            "(status = 'refused') = (refusal IS NOT NULL)",
            name=op.f("ck_refund_requests_refused_with_reason"),
        ),
        sa.CheckConstraint(
            "payee_sealed IS NULL OR (payout = 'bank' AND status = 'asked')",
            name=op.f("ck_refund_requests_payee_while_needed"),
        ),
        sa.CheckConstraint(
            "status <> 'refused' OR NOT is_by_right",
            name=op.f("ck_refund_requests_rights_are_not_refused"),
        ),
        sa.CheckConstraint("quoted_fen > 0", name=op.f("ck_refund_requests_quoted_positive")),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_refund_requests_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"],
            ["staff_members.id"],
            name=op.f("fk_refund_requests_ended_by_staff_members"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_refund_requests_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_refund_requests_store_id_stores")
        ),
        sa.ForeignKeyConstraint(
            ["top_up_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_refund_requests_top_up_id_ledger_transfers"),
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_refund_requests_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_requests")),
    )
    op.create_index(
        "ix_refund_requests_due",
        "refund_requests",
        ["brand_id", "asked_at"],
        unique=False,
        postgresql_where=sa.text("status = 'asked'"),
    )
    op.create_index(
        "ix_refund_requests_member", "refund_requests", ["member_id", "asked_at"], unique=False
    )
    op.create_index(
        "uq_refund_requests_open",
        "refund_requests",
        ["member_id", "top_up_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("status = 'asked'"),
    )
    op.create_table(
        "pass_on_offers",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("from_member_id", sa.UUID(), nullable=False),
        sa.Column("to_member_id", sa.UUID(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("hold_id", sa.UUID(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "offered",
                "accepted",
                "declined",
                "withdrawn",
                "returned",
                name="pass_on_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("transfer_id", sa.UUID(), nullable=True),
        sa.CheckConstraint(
            "(status = 'accepted') = (transfer_id IS NOT NULL)",
            name=op.f("ck_pass_on_offers_accepted_means_moved"),
        ),
        sa.CheckConstraint(
            "(status = 'offered') = (ended_at IS NULL)",
            name=op.f("ck_pass_on_offers_ended_at_a_time"),
        ),
        sa.CheckConstraint(
            "to_member_id IS NOT NULL OR token_hash IS NOT NULL OR status <> 'offered'",
            name=op.f("ck_pass_on_offers_for_somebody"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_pass_on_offers_amount_positive")),
        sa.CheckConstraint(
            "from_member_id <> to_member_id", name=op.f("ck_pass_on_offers_two_members")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_pass_on_offers_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["from_member_id"],
            ["members.id"],
            name=op.f("fk_pass_on_offers_from_member_id_members"),
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["ledger_holds.id"], name=op.f("fk_pass_on_offers_hold_id_ledger_holds")
        ),
        sa.ForeignKeyConstraint(
            ["to_member_id"], ["members.id"], name=op.f("fk_pass_on_offers_to_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_pass_on_offers_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pass_on_offers")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_pass_on_offers_hold_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_pass_on_offers_token_hash")),
    )
    op.create_index(
        "ix_pass_on_offers_due",
        "pass_on_offers",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'offered'"),
    )
    op.create_index(
        "ix_pass_on_offers_from", "pass_on_offers", ["from_member_id", "offered_at"], unique=False
    )
    op.create_index(
        "ix_pass_on_offers_to", "pass_on_offers", ["to_member_id", "offered_at"], unique=False
    )
    op.create_table(
        "data_exports",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "requested",
                "ready",
                "fetched",
                "expired",
                name="export_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'ready') = (content_sealed IS NOT NULL)",
            name=op.f("ck_data_exports_content_while_ready"),
        ),
        sa.CheckConstraint(
            "token_hash IS NULL OR status = 'ready'", name=op.f("ck_data_exports_link_while_ready")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["official_accounts.id"],
            name=op.f("fk_data_exports_account_id_official_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_data_exports_member_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_exports")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_data_exports_token_hash")),
    )
    op.create_index(
        "uq_data_exports_open",
        "data_exports",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('requested', 'ready')"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("data_exports")
    op.drop_table("pass_on_offers")
    op.drop_table("refund_requests")
