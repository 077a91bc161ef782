"""queueing: lines and their days, desks, tickets, moves, calls.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

APPEND_ONLY = ("ticket_moves", "queue_calls")


def _one_of(name: str, *values: str) -> sa.Enum:
    """Text under a CHECK, as `crm.base.status_column` keeps a status."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "stores",
        sa.Column("hours_exceptions", JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_table(
        "desks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_desks_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desks")),
        sa.UniqueConstraint("store_id", "code", name=op.f("uq_desks_store_id_code")),
    )
    op.create_table(
        "queue_settings",
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("distance_m_max", sa.BigInteger(), nullable=True),
        sa.Column("notice_parties", sa.SmallInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column(
            "notice_minutes", sa.SmallInteger(), server_default=sa.text("10"), nullable=False
        ),
        sa.Column("return_behind", sa.SmallInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column("returns_max", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "ordinary_between", sa.SmallInteger(), server_default=sa.text("2"), nullable=False
        ),
        sa.Column(
            "has_member_priority", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column(
            "serves_waiting_after_close",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
        ),
        sa.Column("apology", JSONB(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "distance_m_max BETWEEN 50 AND 100000", name=op.f("ck_queue_settings_distance_in_range")
        ),
        sa.CheckConstraint(
            "notice_minutes BETWEEN 1 AND 120",
            name=op.f("ck_queue_settings_notice_minutes_in_range"),
        ),
        sa.CheckConstraint(
            "notice_parties BETWEEN 1 AND 20",
            name=op.f("ck_queue_settings_notice_parties_in_range"),
        ),
        sa.CheckConstraint(
            "ordinary_between BETWEEN 1 AND 20",
            name=op.f("ck_queue_settings_ordinary_between_in_range"),
        ),
        sa.CheckConstraint(
            "return_behind BETWEEN 0 AND 20", name=op.f("ck_queue_settings_return_behind_in_range")
        ),
        sa.CheckConstraint(
            "returns_max BETWEEN 0 AND 5", name=op.f("ck_queue_settings_returns_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_queue_settings_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_queue_settings")),
    )
    op.create_table(
        "queues",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column(
            "kind",
            _one_of("queue_kind", "table_class", "service_line"),
            nullable=False,
        ),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("party_size_min", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("party_size_max", sa.SmallInteger(), nullable=False),
        sa.Column(
            "status",
            _one_of("queue_status", "open", "paused", "closed"),
            nullable=False,
        ),
        sa.Column("servers", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("minutes_per_party", sa.SmallInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Z]$'", name=op.f("ck_queues_code_is_letter")),
        sa.CheckConstraint(
            "minutes_per_party BETWEEN 1 AND 480", name=op.f("ck_queues_minutes_in_range")
        ),
        sa.CheckConstraint(
            "party_size_min BETWEEN 1 AND party_size_max AND party_size_max <= 50",
            name=op.f("ck_queues_party_size_in_range"),
        ),
        sa.CheckConstraint("servers BETWEEN 1 AND 500", name=op.f("ck_queues_servers_in_range")),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_queues_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queues")),
        sa.UniqueConstraint("store_id", "code", name=op.f("uq_queues_store_id_code")),
    )
    op.create_table(
        "desk_queues",
        sa.Column("desk_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["desk_id"], ["desks.id"], name=op.f("fk_desk_queues_desk_id_desks")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_desk_queues_queue_id_queues")
        ),
        sa.PrimaryKeyConstraint("desk_id", "queue_id", name=op.f("pk_desk_queues")),
    )
    op.create_table(
        "queue_days",
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "ordinary_since_priority", sa.BigInteger(), server_default=sa.text("20"), nullable=False
        ),
        sa.Column("booked_in_a_row", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting_ordinary", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting_member", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting_booked", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("last_number >= 0", name=op.f("ck_queue_days_last_number_not_negative")),
        sa.CheckConstraint(
            "waiting_ordinary >= 0 AND waiting_member >= 0 AND waiting_booked >= 0",
            name=op.f("ck_queue_days_waiting_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_queue_days_queue_id_queues")
        ),
        sa.PrimaryKeyConstraint("queue_id", "business_on", name=op.f("pk_queue_days")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("party_size", sa.SmallInteger(), nullable=False),
        sa.Column(
            "status",
            _one_of(
                "ticket_status",
                "waiting",
                "called",
                "skipped",
                "seated",
                "cancelled",
                "moved",
                "expired",
            ),
            nullable=False,
        ),
        sa.Column(
            "priority",
            _one_of("ticket_priority", "ordinary", "member", "booked"),
            nullable=False,
        ),
        sa.Column(
            "source",
            _one_of(
                "ticket_source",
                "pad",
                "door",
                "page",
                "location",
                "chat",
                "api",
                "bridge",
                "booking",
            ),
            nullable=False,
        ),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("returns", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("fan_id", sa.UUID(), nullable=True),
        sa.Column("booking_id", sa.UUID(), nullable=True),
        sa.Column("moved_from_id", sa.UUID(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("travel_seconds", sa.BigInteger(), nullable=True),
        sa.Column("promised_low_seconds", sa.BigInteger(), nullable=True),
        sa.Column("promised_median_seconds", sa.BigInteger(), nullable=True),
        sa.Column("promised_high_seconds", sa.BigInteger(), nullable=True),
        sa.Column("ahead_at_take", sa.BigInteger(), nullable=False),
        sa.Column("promise_missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_soon_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status IN ('waiting', 'called', 'skipped')) = (ended_at IS NULL)",
            name=op.f("ck_tickets_ended_at_a_time"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_tickets_number_positive")),
        sa.CheckConstraint(
            "party_size BETWEEN 1 AND 50", name=op.f("ck_tickets_party_size_in_range")
        ),
        sa.CheckConstraint(
            "promised_low_seconds <= promised_median_seconds"
            " AND promised_median_seconds <= promised_high_seconds",
            name=op.f("ck_tickets_promise_in_order"),
        ),
        sa.ForeignKeyConstraint(
            ["fan_id"], ["fans.id"], name=op.f("fk_tickets_fan_id_fans"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_tickets_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["moved_from_id"], ["tickets.id"], name=op.f("fk_tickets_moved_from_id_tickets")
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_tickets_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_tickets_store_id_stores")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint(
            "queue_id", "business_on", "number", name=op.f("uq_tickets_queue_id_business_on_number")
        ),
        sa.UniqueConstraint("request_id", name=op.f("uq_tickets_request_id")),
    )
    op.create_index(
        "ix_tickets_fan",
        "tickets",
        ["fan_id"],
        unique=False,
        postgresql_where=sa.text("fan_id IS NOT NULL"),
    )
    op.create_index(
        "ix_tickets_member",
        "tickets",
        ["member_id"],
        unique=False,
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_index(
        "ix_tickets_open",
        "tickets",
        ["business_on"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_tickets_store_day", "tickets", ["store_id", "business_on"], unique=False)
    op.create_index(
        "ix_tickets_waiting",
        "tickets",
        ["queue_id", "business_on", "priority", "place"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "uq_tickets_active_fan",
        "tickets",
        ["store_id", "fan_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'called') AND fan_id IS NOT NULL"),
    )
    op.create_index(
        "uq_tickets_active_member",
        "tickets",
        ["store_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'called') AND member_id IS NOT NULL"),
    )
    op.create_table(
        "queue_calls",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("store_id", sa.UUID(), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("ticket_id", sa.UUID(), nullable=False),
        sa.Column(
            "kind",
            _one_of("call_kind", "call", "recall"),
            nullable=False,
        ),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queues.id"], name=op.f("fk_queue_calls_queue_id_queues")
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_queue_calls_store_id_stores")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_queue_calls_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_queue_calls")),
        sa.UniqueConstraint("request_id", name=op.f("uq_queue_calls_request_id")),
    )
    op.create_index(
        "ix_queue_calls_queue_day", "queue_calls", ["queue_id", "business_on", "seq"], unique=False
    )
    op.create_index(
        "ix_queue_calls_store_day", "queue_calls", ["store_id", "business_on", "seq"], unique=False
    )
    op.create_index("ix_queue_calls_ticket", "queue_calls", ["ticket_id"], unique=False)
    op.create_table(
        "ticket_moves",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ticket_id", sa.UUID(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column(
            "to_status",
            _one_of(
                "ticket_status",
                "waiting",
                "called",
                "skipped",
                "seated",
                "cancelled",
                "moved",
                "expired",
            ),
            nullable=False,
        ),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("staff_id", sa.UUID(), nullable=True),
        sa.Column("pad_id", sa.UUID(), nullable=True),
        sa.Column("api_key_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_ticket_moves_api_key_id_api_keys")
        ),
        sa.ForeignKeyConstraint(["pad_id"], ["pads.id"], name=op.f("fk_ticket_moves_pad_id_pads")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_ticket_moves_staff_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_moves_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ticket_moves")),
        sa.UniqueConstraint("request_id", name=op.f("uq_ticket_moves_request_id")),
    )
    op.create_index("ix_ticket_moves_ticket", "ticket_moves", ["ticket_id", "seq"], unique=False)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Undo."""
    op.drop_table("ticket_moves")
    op.drop_table("queue_calls")
    op.drop_table("tickets")
    op.drop_table("queue_days")
    op.drop_table("desk_queues")
    op.drop_table("queues")
    op.drop_table("queue_settings")
    op.drop_table("desks")
    op.drop_column("stores", "hours_exceptions")
