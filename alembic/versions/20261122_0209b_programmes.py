"""programmes, purchases, offline cards, members who become one.

Revision ID: 0009b
Revises: 0009
"""

import sqlalchemy as sa

from alembic import op

revision = "0009b"
down_revision = "0009"
branch_labels = None
depends_on = None

# Name, condition before, condition after.
CONDITIONS = (
    (
        "member_status",
        "status IN ('active', 'deleted')",
        "status IN ('active', 'deleted', 'merged')",
    ),
    ("merged_into_somebody", None, "(status = 'merged') = (merged_into_id IS NOT NULL)"),
    ("deleted_at_a_time", None, "(status = 'deleted') = (deleted_at IS NOT NULL)"),
)

# Brands that are there already get what new ones get when they are made.
OPEN_PROGRAMMES = "INSERT INTO programmes (brand_id, updated_at) SELECT id, now() FROM brands"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "programmes",
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("draw_order", sa.Text(), server_default="proportional", nullable=False),
        sa.Column("points_per_yuan", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "points_valid_months", sa.BigInteger(), server_default=sa.text("12"), nullable=True
        ),
        sa.Column(
            "no_pin_fen_max", sa.BigInteger(), server_default=sa.text("20000"), nullable=False
        ),
        sa.Column(
            "no_pin_daily_fen_max",
            sa.BigInteger(),
            server_default=sa.text("100000"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "draw_order IN ('proportional', 'principal_first')",
            name=op.f("ck_programmes_draw_order_is_known"),
        ),
        sa.CheckConstraint(
            "0 <= no_pin_fen_max AND no_pin_fen_max <= no_pin_daily_fen_max",
            name=op.f("ck_programmes_no_pin_limits_in_order"),
        ),
        sa.CheckConstraint(
            "points_per_yuan BETWEEN 0 AND 1000",
            name=op.f("ck_programmes_points_per_yuan_in_range"),
        ),
        sa.CheckConstraint(
            "points_valid_months BETWEEN 1 AND 120", name=op.f("ck_programmes_points_live_a_while")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_programmes_brand_id_brands")
        ),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_programmes")),
    )
    op.create_table(
        "top_up_packages",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("principal_fen", sa.BigInteger(), nullable=False),
        sa.Column("bonus_fen", sa.BigInteger(), nullable=False),
        sa.Column("bonus_points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "bonus_fen BETWEEN 0 AND principal_fen", name=op.f("ck_top_up_packages_bonus_in_range")
        ),
        sa.CheckConstraint(
            "bonus_points BETWEEN 0 AND 1000000",
            name=op.f("ck_top_up_packages_bonus_points_in_range"),
        ),
        sa.CheckConstraint(
            "principal_fen BETWEEN 1 AND 500000", name=op.f("ck_top_up_packages_principal_in_range")
        ),
        sa.CheckConstraint(
            "starts_at < ends_at", name=op.f("ck_top_up_packages_starts_before_it_ends")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_top_up_packages_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_top_up_packages_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_top_up_packages")),
    )
    op.create_index(
        op.f("ix_top_up_packages_brand_id"), "top_up_packages", ["brand_id"], unique=False
    )
    op.create_table(
        "offline_cards",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "unbound",
                "bound",
                "lost",
                "replaced",
                name="offline_card_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("store_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "card_no ~ '^[0-9A-Z]{4,32}$'", name=op.f("ck_offline_cards_card_no_is_plain")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_offline_cards_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_offline_cards_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_offline_cards_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offline_cards")),
        sa.UniqueConstraint("brand_id", "card_no", name=op.f("uq_offline_cards_brand_id_card_no")),
    )
    op.create_index(
        op.f("ix_offline_cards_member_id"), "offline_cards", ["member_id"], unique=False
    )
    op.create_table(
        "purchases",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("brand_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("bought_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total_fen >= 0", name=op.f("ck_purchases_total_not_negative")),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_purchases_brand_id_brands")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_purchases_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_purchases_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchases")),
        sa.UniqueConstraint(
            "brand_id",
            "source",
            "external_id",
            name=op.f("uq_purchases_brand_id_source_external_id"),
        ),
    )
    op.create_index("ix_purchases_member", "purchases", ["member_id", "bought_at"], unique=False)
    op.create_index("ix_purchases_store", "purchases", ["store_id", "bought_at"], unique=False)
    op.create_table(
        "purchase_lines",
        sa.Column("purchase_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_purchase_lines_amount_not_negative")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_lines_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_purchase_lines_purchase_id_purchases")
        ),
        sa.PrimaryKeyConstraint("purchase_id", "position", name=op.f("pk_purchase_lines")),
    )
    op.create_index("ix_purchase_lines_item", "purchase_lines", ["item_code"], unique=False)
    op.add_column("members", sa.Column("merged_into_id", sa.UUID(), nullable=True))
    op.add_column("members", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "members", sa.Column("profiling_refused_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("members", sa.Column("pay_pin_hash", sa.Text(), nullable=True))
    op.add_column(
        "members",
        sa.Column("pay_pin_failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "members", sa.Column("pay_pin_locked_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(op.f("ix_members_merged_into_id"), "members", ["merged_into_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_members_merged_into_id_members"), "members", "members", ["merged_into_id"], ["id"]
    )
    for name, before, after in CONDITIONS:
        if before is not None:
            op.drop_constraint(op.f(f"ck_members_{name}"), "members")
        op.create_check_constraint(op.f(f"ck_members_{name}"), "members", after)
    op.execute(OPEN_PROGRAMMES)


def downgrade() -> None:
    """Undo. Refused by the conditions where members have become one."""
    for name, before, _ in reversed(CONDITIONS):
        op.drop_constraint(op.f(f"ck_members_{name}"), "members")
        if before is not None:
            op.create_check_constraint(op.f(f"ck_members_{name}"), "members", before)
    op.drop_constraint(op.f("fk_members_merged_into_id_members"), "members", type_="foreignkey")
    op.drop_index(op.f("ix_members_merged_into_id"), table_name="members")
    op.drop_column("members", "pay_pin_locked_at")
    op.drop_column("members", "pay_pin_failures")
    op.drop_column("members", "pay_pin_hash")
    op.drop_column("members", "profiling_refused_at")
    op.drop_column("members", "deleted_at")
    op.drop_column("members", "merged_into_id")
    op.drop_index("ix_purchase_lines_item", table_name="purchase_lines")
    op.drop_table("purchase_lines")
    op.drop_index("ix_purchases_store", table_name="purchases")
    op.drop_index("ix_purchases_member", table_name="purchases")
    op.drop_table("purchases")
    op.drop_index(op.f("ix_offline_cards_member_id"), table_name="offline_cards")
    op.drop_table("offline_cards")
    op.drop_index(op.f("ix_top_up_packages_brand_id"), table_name="top_up_packages")
    op.drop_table("top_up_packages")
    op.drop_table("programmes")
