"""ledger complete: holds, reversals, lots that come from other lots.

Revision ID: 0010
Revises: 0009b
"""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009b"
branch_labels = None
depends_on = None

ACCOUNT_KINDS = (
    "member_stored_value",
    "member_points",
    "store_takings",
    "store_bonus",
    "store_sales",
    "brand_points_issued",
    "brand_points_spent",
)
MORE_ACCOUNT_KINDS = (
    "member_held",
    "store_opening",
    "brand_adjustments",
    "brand_points_expired",
    "brand_points_donated",
)
TRANSFER_KINDS = ("top_up", "top_up_bonus", "debit", "points_earned", "points_spent")
MORE_TRANSFER_KINDS = (
    "debit_reversed",
    "top_up_reversed",
    "top_up_bonus_reversed",
    "held",
    "hold_posted",
    "hold_released",
    "refund",
    "bonus_forfeited",
    "passed_on",
    "merged",
    "unmerged",
    "adjusted_up",
    "adjusted_down",
    "opening_principal",
    "opening_bonus",
    "opening_points",
    "points_earned_reversed",
    "points_spent_reversed",
    "points_expired",
    "points_donated",
)
STORELESS = (
    "passed_on",
    "merged",
    "unmerged",
    "points_expired",
    "points_donated",
    "adjusted_up",
    "adjusted_down",
    "hold_released",
)
REVERSALS = (
    "debit_reversed",
    "top_up_reversed",
    "top_up_bonus_reversed",
    "points_earned_reversed",
    "points_spent_reversed",
)
POCKETS = ("member_stored_value", "member_points")


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


# Table, name, condition before, condition after.
CONDITIONS = (
    (
        "ledger_accounts",
        "account_kind",
        _among("kind", ACCOUNT_KINDS),
        _among("kind", ACCOUNT_KINDS + MORE_ACCOUNT_KINDS),
    ),
    (
        "ledger_accounts",
        "balance_kept_for_members",
        f"({_among('kind', POCKETS)}) = (balance IS NOT NULL)",
        f"({_among('kind', (*POCKETS, 'member_held'))}) = (balance IS NOT NULL)",
    ),
    (
        "ledger_transfers",
        "transfer_kind",
        _among("kind", TRANSFER_KINDS),
        _among("kind", TRANSFER_KINDS + MORE_TRANSFER_KINDS),
    ),
    (
        "ledger_transfers",
        "tender_of_top_up",
        "(kind = 'top_up') = (tender IS NOT NULL)",
        None,
    ),
    (
        "ledger_transfers",
        "tender_where_money_changes_hands",
        None,
        "(kind IN ('top_up', 'refund', 'top_up_reversed')) = (tender IS NOT NULL)",
    ),
    (
        "ledger_transfers",
        "store_where_one_takes_part",
        None,
        f"store_id IS NOT NULL OR {_among('kind', STORELESS)}",
    ),
    (
        "ledger_transfers",
        "reverses_something",
        None,
        f"({_among('kind', REVERSALS)}) = (reverses_id IS NOT NULL)",
    ),
)

# Brands and stores that are there already get what new ones get when they are made.
OPEN_ACCOUNTS = """
INSERT INTO ledger_accounts (id, brand_id, kind, asset, owner_id, balance, created_at)
SELECT gen_random_uuid(), brand_id, kind, asset, owner_id, NULL, now() FROM (
    SELECT id AS brand_id, id AS owner_id, k.kind, k.asset FROM brands, (VALUES
        ('brand_adjustments', 'cny_fen'), ('brand_points_expired', 'points'),
        ('brand_points_donated', 'points')) AS k(kind, asset)
    UNION ALL SELECT brand_id, id, 'store_opening', 'cny_fen' FROM stores
) AS a ON CONFLICT (owner_id, kind) DO NOTHING
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ledger_holds",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "posted",
                "voided",
                "expired",
                name="hold_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("posted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'pending') = (ended_at IS NULL)",
            name=op.f("ck_ledger_holds_ended_at_a_time"),
        ),
        sa.CheckConstraint(
            "(status = 'posted') = (posted > 0)", name=op.f("ck_ledger_holds_posted_something")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_holds_amount_positive")),
        sa.CheckConstraint(
            "posted BETWEEN 0 AND amount", name=op.f("ck_ledger_holds_posted_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["ledger_accounts.id"],
            name=op.f("fk_ledger_holds_account_id_ledger_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["ledger_transfers.id"], name=op.f("fk_ledger_holds_id_ledger_transfers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_holds")),
    )
    op.create_index(
        op.f("ix_ledger_holds_account_id"), "ledger_holds", ["account_id"], unique=False
    )
    op.create_index(
        "ix_ledger_holds_due",
        "ledger_holds",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "ledger_reversals",
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reversed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reversed BETWEEN 1 AND amount", name=op.f("ck_ledger_reversals_reversed_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_ledger_reversals_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_ledger_reversals")),
    )
    op.create_table(
        "ledger_lot_returns",
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("lot_id", sa.UUID(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_lot_returns_amount_positive")),
        sa.ForeignKeyConstraint(
            ["lot_id"], ["ledger_lots.id"], name=op.f("fk_ledger_lot_returns_lot_id_ledger_lots")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_ledger_lot_returns_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", "lot_id", name=op.f("pk_ledger_lot_returns")),
    )
    op.create_index("ix_ledger_lot_returns_lot_id", "ledger_lot_returns", ["lot_id"], unique=False)
    op.add_column("ledger_lots", sa.Column("parent_lot_id", sa.UUID(), nullable=True))
    op.create_index(
        op.f("ix_ledger_lots_parent_lot_id"), "ledger_lots", ["parent_lot_id"], unique=False
    )
    op.create_foreign_key(
        op.f("fk_ledger_lots_parent_lot_id_ledger_lots"),
        "ledger_lots",
        "ledger_lots",
        ["parent_lot_id"],
        ["id"],
    )
    op.add_column("ledger_transfers", sa.Column("reverses_id", sa.UUID(), nullable=True))
    op.alter_column("ledger_transfers", "store_id", existing_type=sa.UUID(), nullable=True)
    op.create_index(
        "ix_ledger_transfers_reverses_id",
        "ledger_transfers",
        ["reverses_id"],
        unique=False,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_ledger_transfers_reverses_id_ledger_transfers"),
        "ledger_transfers",
        "ledger_transfers",
        ["reverses_id"],
        ["id"],
    )
    for table, name, before, after in CONDITIONS:
        if before is not None:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        if after is not None:
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, after)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_lot_returns"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_lot_returns"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(OPEN_ACCOUNTS)


def downgrade() -> None:
    """Undo. Refused by the conditions where anything was done that was not possible before."""
    for table, name, before, after in reversed(CONDITIONS):
        if after is not None:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        if before is not None:
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, before)
    op.drop_constraint(
        op.f("fk_ledger_transfers_reverses_id_ledger_transfers"),
        "ledger_transfers",
        type_="foreignkey",
    )
    op.drop_index(
        "ix_ledger_transfers_reverses_id",
        table_name="ledger_transfers",
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.alter_column("ledger_transfers", "store_id", existing_type=sa.UUID(), nullable=False)
    op.drop_column("ledger_transfers", "reverses_id")
    op.drop_constraint(
        op.f("fk_ledger_lots_parent_lot_id_ledger_lots"), "ledger_lots", type_="foreignkey"
    )
    op.drop_index(op.f("ix_ledger_lots_parent_lot_id"), table_name="ledger_lots")
    op.drop_column("ledger_lots", "parent_lot_id")
    op.drop_index("ix_ledger_lot_returns_lot_id", table_name="ledger_lot_returns")
    op.drop_table("ledger_lot_returns")
    op.drop_table("ledger_reversals")
    op.drop_index(
        "ix_ledger_holds_due",
        table_name="ledger_holds",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(op.f("ix_ledger_holds_account_id"), table_name="ledger_holds")
    op.drop_table("ledger_holds")
