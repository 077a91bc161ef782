"""queue_notices: what parties were told; messages that may lapse or go another way.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

DELIVERY_STATUS = "ck_deliveries_delivery_status"


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "ticket_notices",
        sa.Column("ticket_id", sa.UUID(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "soon",
                "called",
                "recalled",
                "cancelled_by_store",
                "promise_missed",
                name="ticket_notice_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("call_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("client_msg_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('called', 'recalled')) = (call_seq > 0)",
            name=op.f("ck_ticket_notices_call_named_where_there_is_one"),
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_notices_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("ticket_id", "kind", "call_seq", name=op.f("pk_ticket_notices")),
        sa.UniqueConstraint("client_msg_id", name=op.f("uq_ticket_notices_client_msg_id")),
    )
    op.add_column("deliveries", sa.Column("about", JSONB(), nullable=True))
    op.add_column("deliveries", sa.Column("otherwise", JSONB(), nullable=True))
    _allow_statuses("queued", "accepted", "delivered", "refused", "withdrawn")
    op.add_column(
        "queue_settings",
        sa.Column("door_edition", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_queue_settings_door_edition_positive"), "queue_settings", "door_edition > 0"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_constraint(
        op.f("ck_queue_settings_door_edition_positive"), "queue_settings", type_="check"
    )
    op.drop_column("queue_settings", "door_edition")
    op.execute("UPDATE deliveries SET status = 'refused' WHERE status = 'withdrawn'")
    _allow_statuses("queued", "accepted", "delivered", "refused")
    op.drop_column("deliveries", "otherwise")
    op.drop_column("deliveries", "about")
    op.drop_table("ticket_notices")


def _allow_statuses(*statuses: str) -> None:
    allowed = ", ".join(f"'{status}'" for status in statuses)
    op.drop_constraint(op.f(DELIVERY_STATUS), "deliveries", type_="check")
    op.create_check_constraint(op.f(DELIVERY_STATUS), "deliveries", f"status IN ({allowed})")
