"""programme rules: points that charges earn, tiers with conditions, corrections by two people.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CONDITIONS = (
    (
        "programmes",
        "event_points_in_range",
        "joining_points BETWEEN 0 AND 100000 AND visit_points BETWEEN 0 AND 100000",
    ),
    ("tiers", "spend_not_negative", "spend_from_fen >= 0"),
    ("tiers", "visits_in_range", "visits_from BETWEEN 1 AND 1000"),
    ("tiers", "price_in_range", "price_fen BETWEEN 1 AND 500000"),
    ("tiers", "discount_in_range", "discount_bp BETWEEN 0 AND 9000"),
    ("tiers", "points_multiplier_in_range", "points_multiplier_bp BETWEEN 10000 AND 100000"),
    ("tiers", "birthday_points_in_range", "birthday_points BETWEEN 0 AND 100000"),
    ("tiers", "valid_a_while", "valid_months BETWEEN 1 AND 120"),
    ("tiers", "grace_in_range", "grace_days BETWEEN 0 AND 365"),
)
PROPOSAL_STATUSES = ("proposed", "approved", "rejected", "withdrawn", "expired")
DECIDED_BY_ANOTHER = (
    "CASE WHEN status IN ('approved', 'rejected')"
    " THEN decided_by IS NOT NULL AND decided_by <> proposed_by"
    " WHEN status = 'withdrawn' THEN decided_by = proposed_by"
    " ELSE decided_by IS NULL END"
)


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "programme_endings",
        sa.Column("id", sa.UUID(), primary_key=True),
        sa.Column("brand_id", sa.UUID(), sa.ForeignKey("brands.id"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "status",
            _enum("proposal_status", *PROPOSAL_STATUSES),
            nullable=False,
        ),
        sa.Column("proposed_by", sa.UUID(), sa.ForeignKey("staff_members.id"), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.UUID(), sa.ForeignKey("staff_members.id"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'proposed') = (decided_at IS NULL)",
            name="decided_at_a_time",
        ),
        sa.CheckConstraint(
            DECIDED_BY_ANOTHER,
            name="decided_by_another",
        ),
        sa.CheckConstraint(
            "length(btrim(reason)) BETWEEN 4 AND 200",
            name="reason_is_given",
        ),
    )
    op.create_index(
        "uq_programme_endings_live",
        "programme_endings",
        ["brand_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('proposed', 'approved')"),
    )
    op.create_table(
        "birthday_gifts",
        sa.Column("member_id", sa.UUID(), sa.ForeignKey("members.id"), primary_key=True),
        sa.Column("year", sa.SmallInteger(), primary_key=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("points > 0", name="points_positive"),
    )
    op.create_table(
        "points_reminders",
        sa.Column("member_id", sa.UUID(), sa.ForeignKey("members.id"), primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("days_before", sa.SmallInteger(), primary_key=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "tier_moves",
        sa.Column("id", sa.UUID(), primary_key=True),
        sa.Column("member_id", sa.UUID(), sa.ForeignKey("members.id"), nullable=False),
        sa.Column("from_tier_id", sa.UUID(), sa.ForeignKey("tiers.id"), nullable=False),
        sa.Column("to_tier_id", sa.UUID(), sa.ForeignKey("tiers.id"), nullable=False),
        sa.Column(
            "reason",
            _enum(
                "tier_move_reason",
                "spend",
                "visits",
                "paid",
                "by_hand",
                "renewed",
                "lapsed",
                "taken_back",
            ),
            nullable=False,
        ),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("staff_id", sa.UUID(), sa.ForeignKey("staff_members.id"), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("request_id", sa.UUID(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "from_tier_id <> to_tier_id OR reason IN ('renewed', 'paid', 'by_hand')",
            name="goes_somewhere",
        ),
        sa.CheckConstraint(
            "reason <> 'by_hand' OR (staff_id IS NOT NULL AND note IS NOT NULL)",
            name="by_hand_by_somebody",
        ),
        sa.UniqueConstraint("request_id", name=op.f("uq_tier_moves_request_id")),
    )
    op.create_index("ix_tier_moves_member", "tier_moves", ["member_id", "moved_at"], unique=False)
    op.create_table(
        "adjustments",
        sa.Column("id", sa.UUID(), primary_key=True),
        sa.Column("brand_id", sa.UUID(), sa.ForeignKey("brands.id"), nullable=False),
        sa.Column("member_id", sa.UUID(), sa.ForeignKey("members.id"), nullable=False),
        sa.Column("store_id", sa.UUID(), sa.ForeignKey("stores.id"), nullable=True),
        sa.Column(
            "asset",
            _enum("asset", "cny_fen", "points"),
            nullable=False,
        ),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column(
            "lot_kind",
            _enum("lot_kind", "principal", "bonus", "points"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "status",
            _enum("proposal_status", *PROPOSAL_STATUSES),
            nullable=False,
        ),
        sa.Column("proposed_by", sa.UUID(), sa.ForeignKey("staff_members.id"), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.UUID(), sa.ForeignKey("staff_members.id"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("transfer_id", sa.UUID(), sa.ForeignKey("ledger_transfers.id"), nullable=True),
        sa.CheckConstraint("(asset = 'points') = (lot_kind = 'points')", name="lot_fits_asset"),
        sa.CheckConstraint(
            "(status = 'approved') = (transfer_id IS NOT NULL)",
            name="approved_means_moved",
        ),
        sa.CheckConstraint(
            "(status = 'proposed') = (decided_at IS NULL)",
            name="decided_at_a_time",
        ),
        sa.CheckConstraint(
            DECIDED_BY_ANOTHER,
            name="decided_by_another",
        ),
        sa.CheckConstraint("delta <> 0", name="delta_not_zero"),
        sa.CheckConstraint("length(btrim(reason)) BETWEEN 4 AND 200", name="reason_is_given"),
    )
    op.create_index(
        "ix_adjustments_brand", "adjustments", ["brand_id", "proposed_at"], unique=False
    )
    op.create_index(op.f("ix_adjustments_member_id"), "adjustments", ["member_id"], unique=False)
    op.create_index(
        "ix_adjustments_open",
        "adjustments",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_index(
        "ix_adjustments_proposed_by", "adjustments", ["proposed_by", "proposed_at"], unique=False
    )
    op.create_table(
        "points_earnings",
        sa.Column("transfer_id", sa.UUID(), sa.ForeignKey("ledger_transfers.id"), primary_key=True),
        sa.Column("member_id", sa.UUID(), sa.ForeignKey("members.id"), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("spend_points", sa.BigInteger(), nullable=False),
        sa.Column("visit_points", sa.BigInteger(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column(
            "points_transfer_id", sa.UUID(), sa.ForeignKey("ledger_transfers.id"), nullable=True
        ),
        sa.Column("taken_back", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("owed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "base_fen >= 0 AND spend_points >= 0 AND visit_points >= 0",
            name="nothing_negative",
        ),
        sa.CheckConstraint(
            "taken_back >= 0 AND owed >= 0 AND taken_back + owed <= spend_points + visit_points",
            name="no_more_than_earned",
        ),
    )
    op.create_index(
        op.f("ix_points_earnings_member_id"), "points_earnings", ["member_id"], unique=False
    )
    op.create_index(
        "ix_points_earnings_owed",
        "points_earnings",
        ["member_id"],
        unique=False,
        postgresql_where=sa.text("owed > 0"),
    )
    op.create_index(
        "uq_points_earnings_visit",
        "points_earnings",
        ["member_id", "visited_on"],
        unique=True,
        postgresql_where=sa.text("visited_on IS NOT NULL"),
    )
    op.add_column(
        "members", sa.Column("tier_valid_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_members_tier_valid_until",
        "members",
        ["tier_valid_until"],
        unique=False,
        postgresql_where=sa.text("tier_valid_until IS NOT NULL"),
    )
    op.add_column(
        "programmes",
        sa.Column("joining_points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "programmes",
        sa.Column("visit_points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "programmes",
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.add_column("tiers", sa.Column("visits_from", sa.BigInteger(), nullable=True))
    op.add_column("tiers", sa.Column("price_fen", sa.BigInteger(), nullable=True))
    op.add_column(
        "tiers",
        sa.Column("discount_bp", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "tiers",
        sa.Column(
            "points_multiplier_bp", sa.BigInteger(), server_default=sa.text("10000"), nullable=False
        ),
    )
    op.add_column(
        "tiers",
        sa.Column("birthday_points", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "tiers",
        sa.Column("valid_months", sa.BigInteger(), server_default=sa.text("12"), nullable=True),
    )
    op.add_column(
        "tiers",
        sa.Column("grace_days", sa.BigInteger(), server_default=sa.text("30"), nullable=False),
    )
    op.alter_column("tiers", "spend_from_fen", existing_type=sa.BIGINT(), nullable=True)
    op.add_column("top_up_packages", sa.Column("replaces_id", sa.UUID(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_top_up_packages_replaces_id"), "top_up_packages", ["replaces_id"]
    )
    op.create_foreign_key(
        op.f("fk_top_up_packages_replaces_id_top_up_packages"),
        "top_up_packages",
        "top_up_packages",
        ["replaces_id"],
        ["id"],
    )
    for table, name, condition in CONDITIONS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON tier_moves"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON tier_moves"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Undo. A tier that spend never led to is one that nobody's spend reaches."""
    for table, name, _ in reversed(CONDITIONS):
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.execute("UPDATE tiers SET spend_from_fen = 1000000000000 WHERE spend_from_fen IS NULL")
    op.drop_constraint(
        op.f("fk_top_up_packages_replaces_id_top_up_packages"),
        "top_up_packages",
        type_="foreignkey",
    )
    op.drop_constraint(op.f("uq_top_up_packages_replaces_id"), "top_up_packages", type_="unique")
    op.drop_column("top_up_packages", "replaces_id")
    op.alter_column("tiers", "spend_from_fen", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("tiers", "grace_days")
    op.drop_column("tiers", "valid_months")
    op.drop_column("tiers", "birthday_points")
    op.drop_column("tiers", "points_multiplier_bp")
    op.drop_column("tiers", "discount_bp")
    op.drop_column("tiers", "price_fen")
    op.drop_column("tiers", "visits_from")
    op.drop_column("programmes", "version")
    op.drop_column("programmes", "visit_points")
    op.drop_column("programmes", "joining_points")
    op.drop_index(
        "ix_members_tier_valid_until",
        table_name="members",
        postgresql_where=sa.text("tier_valid_until IS NOT NULL"),
    )
    op.drop_column("members", "tier_valid_until")
    op.drop_index(
        "uq_points_earnings_visit",
        table_name="points_earnings",
        postgresql_where=sa.text("visited_on IS NOT NULL"),
    )
    op.drop_index(
        "ix_points_earnings_owed",
        table_name="points_earnings",
        postgresql_where=sa.text("owed > 0"),
    )
    op.drop_index(op.f("ix_points_earnings_member_id"), table_name="points_earnings")
    op.drop_table("points_earnings")
    op.drop_index("ix_adjustments_proposed_by", table_name="adjustments")
    op.drop_index(
        "ix_adjustments_open",
        table_name="adjustments",
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.drop_index(op.f("ix_adjustments_member_id"), table_name="adjustments")
    op.drop_index("ix_adjustments_brand", table_name="adjustments")
    op.drop_table("adjustments")
    op.drop_index("ix_tier_moves_member", table_name="tier_moves")
    op.drop_table("tier_moves")
    op.drop_table("points_reminders")
    op.drop_table("birthday_gifts")
    op.drop_index(
        "uq_programme_endings_live",
        table_name="programme_endings",
        postgresql_where=sa.text("status IN ('proposed', 'approved')"),
    )
    op.drop_table("programme_endings")
