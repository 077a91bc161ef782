"""shifts: the counter's own books, and by what a visit was opened.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _add_via()
    _create_shifts()
    _create_movements()
    _create_days()
    _create_answers()
    _create_undos()


def _add_via() -> None:
    """Say by what each visit was opened; those that are there, by a code."""
    op.add_column(
        "counter_visits",
        sa.Column(
            "via",
            sa.Enum(
                "code",
                "phone_tail",
                "card_no",
                name="visit_via",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            server_default=sa.text("'code'"),
            nullable=False,
        ),
    )
    op.create_check_constraint(
        op.f("ck_counter_visits_via_code_has_one"),
        "counter_visits",
        "via = 'code' OR code_hash IS NULL",
    )


def _create_shifts() -> None:
    """Create the shifts."""
    op.create_table(
        "shifts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("pad_id", sa.UUID(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "counted",
                "confirmed",
                name="shift_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("opened_by", sa.UUID(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("float_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ended_by", sa.UUID(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expected_fen", sa.BigInteger(), nullable=True),
        sa.Column("counted_fen", sa.BigInteger(), nullable=True),
        sa.Column("denominations", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("difference_reason", sa.Text(), nullable=True),
        sa.Column("removed_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("confirmed_by", sa.UUID(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'confirmed') = (confirmed_at IS NOT NULL)"
            " AND (confirmed_at IS NULL) = (confirmed_by IS NULL)",
            name=op.f("ck_shifts_confirmed_at_a_time"),
        ),
        sa.CheckConstraint(
            "(status = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)"
            " AND (ended_at IS NULL) = (counted_fen IS NULL)"
            " AND (ended_at IS NULL) = (expected_fen IS NULL)",
            name=op.f("ck_shifts_counted_when_it_ends"),
        ),
        sa.CheckConstraint(
            "counted_fen = expected_fen OR length(trim(coalesce(difference_reason, ''))) > 0",
            name=op.f("ck_shifts_difference_has_a_reason"),
        ),
        sa.CheckConstraint(
            "float_fen >= 0 AND counted_fen >= 0", name=op.f("ck_shifts_cash_not_negative")
        ),
        sa.CheckConstraint(
            "removed_fen BETWEEN 0 AND coalesce(counted_fen, 0)",
            name=op.f("ck_shifts_removed_is_in"),
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"],
            ["staff_members.id"],
            name=op.f("fk_shifts_confirmed_by_staff_members"),
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["staff_members.id"], name=op.f("fk_shifts_ended_by_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["staff_members.id"], name=op.f("fk_shifts_opened_by_staff_members")
        ),
        sa.ForeignKeyConstraint(["pad_id"], ["pads.id"], name=op.f("fk_shifts_pad_id_pads")),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_shifts_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shifts")),
    )
    op.create_index("ix_shifts_day", "shifts", ["store_id", "business_on"], unique=False)
    op.create_index("ix_shifts_pad", "shifts", ["pad_id", "opened_at"], unique=False)
    op.create_index(
        "uq_shifts_live_pad",
        "shifts",
        ["pad_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'confirmed'"),
    )


def _create_movements() -> None:
    """Create what was counted in each shift."""
    op.create_table(
        "shift_movements",
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("shift_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shifts.id"], name=op.f("fk_shift_movements_shift_id_shifts")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_shift_movements_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_shift_movements")),
    )
    op.create_index(
        op.f("ix_shift_movements_shift_id"), "shift_movements", ["shift_id"], unique=False
    )


def _create_days() -> None:
    """Create the days that managers close."""
    op.create_table(
        "store_days",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("closed_by", sa.UUID(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["staff_members.id"], name=op.f("fk_store_days_closed_by_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_store_days_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_days")),
        sa.UniqueConstraint(
            "store_id", "business_on", name=op.f("uq_store_days_store_id_business_on")
        ),
    )


def _create_answers() -> None:
    """Create what members say to charges."""
    op.create_table(
        "charge_answers",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("visit_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "confirmed",
                "refused",
                name="charge_answer_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answered_via",
            sa.Enum(
                "phone",
                "pay_pin",
                name="charge_answer_via",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(status = 'asked') = (answered_at IS NULL)"
            " AND (answered_at IS NULL) = (answered_via IS NULL)",
            name=op.f("ck_charge_answers_answered_at_a_time"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_charge_answers_amount_positive")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_charge_answers_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_charge_answers_store_id_stores")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["counter_visits.id"],
            name=op.f("fk_charge_answers_visit_id_counter_visits"),
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_charge_answers")),
    )
    op.create_index(
        "ix_charge_answers_member", "charge_answers", ["member_id", "asked_at"], unique=False
    )
    op.create_index(
        op.f("ix_charge_answers_visit_id"), "charge_answers", ["visit_id"], unique=False
    )


def _create_undos() -> None:
    """Create what was undone and what was printed."""
    op.create_table(
        "counter_undos",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("pad_id", sa.UUID(), nullable=False),
        sa.Column("staff_id", sa.UUID(), nullable=False),
        sa.Column("approved_by", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by"],
            ["staff_members.id"],
            name=op.f("fk_counter_undos_approved_by_staff_members"),
        ),
        sa.ForeignKeyConstraint(["pad_id"], ["pads.id"], name=op.f("fk_counter_undos_pad_id_pads")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_counter_undos_staff_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_counter_undos_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_counter_undos")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_counter_undos_transfer_id")),
    )
    op.create_index("ix_counter_undos_pad", "counter_undos", ["pad_id", "undone_at"], unique=False)
    op.create_table(
        "receipt_prints",
        sa.Column("transfer_id", sa.UUID(), nullable=False),
        sa.Column("prints", sa.SmallInteger(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("prints > 0", name=op.f("ck_receipt_prints_printed_once")),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["ledger_transfers.id"],
            name=op.f("fk_receipt_prints_transfer_id_ledger_transfers"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", name=op.f("pk_receipt_prints")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("shift_movements")
    op.drop_table("receipt_prints")
    op.drop_table("counter_undos")
    op.drop_table("charge_answers")
    op.drop_table("shifts")
    op.drop_table("store_days")
    op.drop_constraint(op.f("ck_counter_visits_via_code_has_one"), "counter_visits")
    op.drop_column("counter_visits", "via")
