"""Tables of what leaves a transaction: outbox, handler inbox, schedule. Owner: `infra`."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base


class OutboxMessage(Base):
    """A fact or an errand to deliver, written with the change that caused it.

    Delivered messages are deleted. One that failed for the last time is dead: it stays, is
    counted, and can be retried.
    """

    __tablename__ = "outbox_messages"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    # An event's wire name (`member.joined`) or an errand's (`wechat.send_template`).
    topic: Mapped[str]
    payload: Mapped[dict[str, Any]]
    # Messages with the same key are delivered one after another, in order.
    ordering_key: Mapped[str | None]
    # A second message with the same key is the same message: it is not written.
    dedupe_key: Mapped[str | None] = mapped_column(unique=True)
    trace_id: Mapped[str | None]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    leased_until: Mapped[datetime | None]
    # The number of the process that holds it (`o2o.infra.holder`), or held it last.
    leased_by: Mapped[int | None]
    last_error: Mapped[str | None]
    dead_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_outbox_messages_due", "available_at", postgresql_where=text("dead_at IS NULL")),
        Index(
            "ix_outbox_messages_order",
            "ordering_key",
            "id",
            postgresql_where=text("dead_at IS NULL AND ordering_key IS NOT NULL"),
        ),
        Index("ix_outbox_messages_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )


class HandledMessage(Base):
    """The inbox of event handlers: this handler has seen this outbox message."""

    __tablename__ = "handled_messages"

    subscriber: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(primary_key=True)
    handled_at: Mapped[datetime]

    __table_args__ = (Index("ix_handled_messages_handled_at", "handled_at"),)


class ScheduledJob(Base):
    """Work that comes round: when it is due next and who is at it."""

    __tablename__ = "scheduled_jobs"

    name: Mapped[str] = mapped_column(primary_key=True)
    every_seconds: Mapped[int]
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
