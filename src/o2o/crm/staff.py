"""Tables of those who sign in on our side and their devices. Owner: `staff`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import Audience, StaffRoleName


class StaffMember(Base):
    """A person on our side: clerk, manager, marketer, agent, finance, auditor."""

    __tablename__ = "staff_members"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(ForeignKey("brands.id"))
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    # Argon2id. The PIN works on an enrolled pad only, so device and PIN are two factors.
    password_hash: Mapped[str | None]
    pin_hash: Mapped[str | None]
    pin_failures: Mapped[int] = mapped_column(server_default=text("0"))
    pin_locked_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffRole(Base):
    """One role of a staff member in one store, or in all of the brand when no store is named."""

    __tablename__ = "staff_roles"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff_members.id"))
    role: Mapped[StaffRoleName] = mapped_column(status_column(StaffRoleName))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id"))

    __table_args__ = (
        Index(
            "uq_staff_roles_scope",
            "staff_id",
            "role",
            "store_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )


class Pad(Base):
    """A browser enrolled for one store; its secret lives in a cookie, its hash here."""

    __tablename__ = "pads"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), index=True)
    name: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    enrolled_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class PadEnrolment(Base):
    """A one-time code that turns a browser into a pad of one store, for ten minutes."""

    __tablename__ = "pad_enrolments"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("expires_at <= created_at + interval '10 minutes'", name="ten_minutes"),
    )


class GuessCount(Base):
    """Recent wrong guesses at one secret by one guesser, and until when he must wait.

    One row per thing guessed at (a login, a pad's scanner, an address that enrols), known to us
    or not, so that being locked out tells nobody whether it exists.
    """

    __tablename__ = "guess_counts"

    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    # The guesses within the limit's window; emptied when a lock begins.
    guessed_at: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    locked_until: Mapped[datetime | None]
    last_at: Mapped[datetime]

    __table_args__ = (Index("ix_guess_counts_last_at", "last_at"),)


class WebSession(Base):
    """A signed-in browser. The cookie holds a random reference, the row its hash."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    audience: Mapped[Audience] = mapped_column(status_column(Audience))
    fan_id: Mapped[UUID | None] = mapped_column(ForeignKey("fans.id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff_members.id"))
    pad_id: Mapped[UUID | None] = mapped_column(ForeignKey("pads.id"))
    # A virtual user of a snapshot page may look, never join or pay.
    is_snapshot: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "CASE audience WHEN 'diner' THEN fan_id IS NOT NULL AND staff_id IS NULL"
            " WHEN 'pad' THEN staff_id IS NOT NULL AND pad_id IS NOT NULL AND fan_id IS NULL"
            " ELSE staff_id IS NOT NULL AND pad_id IS NULL AND fan_id IS NULL END",
            name="one_audience",
        ),
        Index("ix_web_sessions_staff_id", "staff_id"),
        Index("ix_web_sessions_fan_id", "fan_id"),
        Index("ix_web_sessions_expires_at", "expires_at"),
    )


class APIKey(Base):
    """A key of a POS or hall system: scopes, stores and what it may debit unattended."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # Without a brand the key speaks for the whole group.
    brand_id: Mapped[UUID | None] = mapped_column(ForeignKey("brands.id"))
    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    # Largest single debit without a visit or member code, in fen.
    unattended_debit_fen_max: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("unattended_debit_fen_max >= 0", name="limit_not_negative"),)
