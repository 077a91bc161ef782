"""bookings: how stores are booked, slots, who comes when, moves.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "booking_settings",
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("is_taking", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("live_max", sa.SmallInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column(
            "party_size_usual", sa.SmallInteger(), server_default=sa.text("1"), nullable=False
        ),
        sa.Column(
            "remind_minutes", sa.SmallInteger(), server_default=sa.text("60"), nullable=False
        ),
        sa.Column("early_minutes", sa.SmallInteger(), server_default=sa.text("30"), nullable=False),
        sa.Column("grace_minutes", sa.SmallInteger(), server_default=sa.text("15"), nullable=False),
        sa.Column(
            "no_show_minutes", sa.SmallInteger(), server_default=sa.text("30"), nullable=False
        ),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "early_minutes BETWEEN 0 AND 240", name=op.f("ck_booking_settings_early_in_range")
        ),
        sa.CheckConstraint(
            "grace_minutes BETWEEN 0 AND no_show_minutes",
            name=op.f("ck_booking_settings_grace_in_range"),
        ),
        sa.CheckConstraint(
            "live_max BETWEEN 1 AND 20", name=op.f("ck_booking_settings_live_in_range")
        ),
        sa.CheckConstraint(
            "no_show_minutes BETWEEN 1 AND 240", name=op.f("ck_booking_settings_no_show_in_range")
        ),
        sa.CheckConstraint(
            "party_size_usual BETWEEN 1 AND 50",
            name=op.f("ck_booking_settings_party_size_in_range"),
        ),
        sa.CheckConstraint(
            "remind_minutes BETWEEN 0 AND 1440", name=op.f("ck_booking_settings_remind_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_booking_settings_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_booking_settings")),
    )
    op.create_table(
        "booking_exceptions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=True),
        sa.Column("applies_on", sa.Date(), nullable=False),
        sa.Column("capacity", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "capacity BETWEEN 1 AND 500", name=op.f("ck_booking_exceptions_capacity_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_booking_exceptions_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_booking_exceptions_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_exceptions")),
        sa.UniqueConstraint(
            "store_id",
            "applies_on",
            "queue_id",
            name=op.f("uq_booking_exceptions_store_id_applies_on_queue_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "booking_rules",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("since_minute", sa.SmallInteger(), nullable=False),
        sa.Column("until_minute", sa.SmallInteger(), nullable=False),
        sa.Column("slot_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("party_size_min", sa.SmallInteger(), nullable=False),
        sa.Column("party_size_max", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "capacity BETWEEN 1 AND 500", name=op.f("ck_booking_rules_capacity_in_range")
        ),
        sa.CheckConstraint(
            "party_size_min BETWEEN 1 AND party_size_max AND party_size_max <= 50",
            name=op.f("ck_booking_rules_party_size_in_range"),
        ),
        sa.CheckConstraint(
            "since_minute >= 0 AND since_minute + slot_minutes <= until_minute"
            " AND until_minute <= 1440",
            name=op.f("ck_booking_rules_within_day"),
        ),
        sa.CheckConstraint(
            "slot_minutes BETWEEN 5 AND 480", name=op.f("ck_booking_rules_slot_in_range")
        ),
        sa.CheckConstraint(
            "weekday BETWEEN 0 AND 6", name=op.f("ck_booking_rules_weekday_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_booking_rules_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_booking_rules_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_rules")),
    )
    op.create_index("ix_booking_rules_store", "booking_rules", ["store_id"], unique=False)
    op.create_table(
        "booking_slots",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_size_min", sa.SmallInteger(), nullable=False),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("booked", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "booked >= 0 AND booked <= capacity", name=op.f("ck_booking_slots_not_oversold")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_booking_slots_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_booking_slots_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_slots")),
        sa.UniqueConstraint(
            "queue_id",
            "starts_at",
            "party_size_min",
            name=op.f("uq_booking_slots_queue_id_starts_at_party_size_min"),
        ),
    )
    op.create_index(
        "ix_booking_slots_store", "booking_slots", ["store_id", "starts_at"], unique=False
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("slot_id", sa.UUID(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("party_size", sa.SmallInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "booked",
                "arrived",
                "served",
                "cancelled",
                "no_show",
                name="booking_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "page",
                "chat",
                "api",
                "console",
                name="booking_source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("fan_id", sa.UUID(), nullable=True),
        sa.Column("ticket_id", sa.UUID(), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_by_store", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status IN ('booked', 'arrived')) = (ended_at IS NULL)",
            name=op.f("ck_bookings_ended_at_a_time"),
        ),
        sa.CheckConstraint(
            "code ~ '^[2-9A-HJ-NP-Z]{4,8}$'", name=op.f("ck_bookings_code_is_plain")
        ),
        sa.CheckConstraint(
            "party_size BETWEEN 1 AND 50", name=op.f("ck_bookings_party_size_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["fan_id"], ["fans.id"], name=op.f("fk_bookings_fan_id_fans"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_bookings_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_bookings_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["booking_slots.id"], name=op.f("fk_bookings_slot_id_booking_slots")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_bookings_store_id_stores")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_bookings_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("request_id", name=op.f("uq_bookings_request_id")),
    )
    op.create_index(
        "ix_bookings_due",
        "bookings",
        ["starts_at"],
        unique=False,
        postgresql_where=sa.text("status = 'booked'"),
    )
    op.create_index("ix_bookings_fan", "bookings", ["fan_id"], unique=False)
    op.create_index("ix_bookings_member", "bookings", ["member_id"], unique=False)
    op.create_index("ix_bookings_slot", "bookings", ["slot_id"], unique=False)
    op.create_index("ix_bookings_store_day", "bookings", ["store_id", "starts_at"], unique=False)
    op.create_index("ix_bookings_ticket", "bookings", ["ticket_id"], unique=False)
    op.create_index(
        "uq_bookings_live_code",
        "bookings",
        ["store_id", "code"],
        unique=True,
        postgresql_where=sa.text("status IN ('booked', 'arrived')"),
    )
    op.create_index(
        "uq_bookings_live_fan",
        "bookings",
        ["store_id", "starts_at", "fan_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('booked', 'arrived')"),
    )
    op.create_index(
        "uq_bookings_live_member",
        "bookings",
        ["store_id", "starts_at", "member_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('booked', 'arrived')"),
    )
    op.create_table(
        "booking_moves",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.UUID(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column(
            "to_status",
            sa.Enum(
                "booked",
                "arrived",
                "served",
                "cancelled",
                "no_show",
                name="booking_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("staff_id", sa.UUID(), nullable=True),
        sa.Column("pad_id", sa.UUID(), nullable=True),
        sa.Column("api_key_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_booking_moves_api_key_id_api_keys")
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_moves_booking_id_bookings")
        ),
        sa.ForeignKeyConstraint(["pad_id"], ["pads.id"], name=op.f("fk_booking_moves_pad_id_pads")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_booking_moves_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_booking_moves")),
        sa.UniqueConstraint("request_id", name=op.f("uq_booking_moves_request_id")),
    )
    op.create_index(
        "ix_booking_moves_booking", "booking_moves", ["booking_id", "seq"], unique=False
    )
    op.create_index(
        "ix_tickets_booking",
        "tickets",
        ["booking_id"],
        unique=False,
        postgresql_where=sa.text("booking_id IS NOT NULL"),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_moves"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_tickets_booking", table_name="tickets")
    for table in (
        "booking_moves",
        "bookings",
        "booking_slots",
        "booking_rules",
        "booking_exceptions",
        "booking_settings",
    ):
        op.drop_table(table)
