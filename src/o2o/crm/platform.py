"""Tables that serve every domain: idempotency and audit. Owner: `infra`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base


class IdempotentRequest(Base):
    """One intention of a client: what was asked and what was answered."""

    __tablename__ = "idempotent_requests"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str]
    body_hash: Mapped[bytes]
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to what. Append only, by trigger."""

    __tablename__ = "audit_entries"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    action: Mapped[str]
    object_kind: Mapped[str | None]
    object_id: Mapped[str | None]
    store_id: Mapped[UUID | None]
    # Masked: never a phone number in full, a code, a token or a key.
    detail: Mapped[dict[str, Any]]
    trace_id: Mapped[str | None]

    __table_args__ = (
        Index("ix_audit_entries_object", "object_kind", "object_id", "seq"),
        Index("ix_audit_entries_at", "at"),
    )
