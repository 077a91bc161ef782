"""Tables of the exchange with WeChat: inbox, tokens, OAuth states, dialogues, deliveries.

Owner: `wechat`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import AnsweredVia, DeliveryChannel, DeliveryStatus


class InboundMessage(Base):
    """One callback of WeChat, once. No foreign keys: this is the hottest insert of the product."""

    __tablename__ = "inbound_messages"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[UUID]
    # MsgId, or a hash of what tells two events apart; a retry has the same.
    message_key: Mapped[bytes]
    # Timestamp and nonce of the request: seen again with another message, it is a replay.
    signed_at: Mapped[int]
    nonce: Mapped[str]
    openid: Mapped[str]
    kind: Mapped[str]
    event: Mapped[str | None]
    # As it was sent; making jsonb of it would cost each message for the few that are looked into.
    sent: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    received_at: Mapped[datetime]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    # As above, of messages that the version before kept, which may serve beside this one.
    body_hash: Mapped[bytes | None]
    fields: Mapped[dict[str, Any] | None]
    reply: Mapped[dict[str, Any] | None]
    answered_via: Mapped[AnsweredVia] = mapped_column(
        status_column(AnsweredVia), server_default=text("'nothing'")
    )

    __table_args__ = (
        UniqueConstraint("account_id", "message_key"),
        UniqueConstraint("account_id", "signed_at", "nonce"),
        Index("ix_inbound_messages_fan", "account_id", "openid", "id"),
    )


class CallbackOutcome(Base):
    """What became of callbacks that reached no inbox: how often, and when last.

    One row per account and outcome, so that nobody can fill it from outside. No foreign key: a
    name that no account has is kept as the empty text.
    """

    __tablename__ = "callback_outcomes"

    account: Mapped[str] = mapped_column(primary_key=True)
    # A name of `o2o.wechat.outcomes.Outcome`.
    outcome: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]


class AccessToken(Base):
    """A credential WeChat gave us for an account, encrypted, and who is renewing it."""

    __tablename__ = "access_tokens"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"), primary_key=True)
    # "access_token" or "jsapi_ticket".
    kind: Mapped[str] = mapped_column(primary_key=True)
    value_sealed: Mapped[bytes | None]
    # Counts renewals, so that whoever was refused renews only what it was refused with.
    version: Mapped[int] = mapped_column(server_default=text("0"))
    expires_at: Mapped[datetime | None]
    renewing_until: Mapped[datetime | None]


class OAuthState(Base):
    """A single-use state of one browser's way through WeChat's consent, for five minutes."""

    __tablename__ = "oauth_states"

    state_hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"))
    # The browser that started: hash of its pre-session cookie.
    browser_hash: Mapped[bytes]
    next_path: Mapped[str]
    scope: Mapped[str]
    # How often this browser was sent round already, against loops.
    round: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    # The fan that the code named, for a WebView that loads the same address twice.
    fan_id: Mapped[UUID | None] = mapped_column(ForeignKey("fans.id"))
    is_snapshot: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (Index("ix_oauth_states_expires_at", "expires_at"),)


class Dialogue(Base):
    """Where a fan is in a multi-step exchange by chat."""

    __tablename__ = "dialogues"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"), primary_key=True)
    openid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    step: Mapped[str]
    state: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime]


class MessageTemplate(Base):
    """Which of an account's templates serves which purpose."""

    __tablename__ = "message_templates"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str]


class Delivery(Base):
    """One message to one openid and what became of it."""

    __tablename__ = "deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("official_accounts.id"))
    openid: Mapped[str]
    channel: Mapped[DeliveryChannel] = mapped_column(status_column(DeliveryChannel))
    # WeChat delivers the same openid + id once in ten minutes.
    client_msg_id: Mapped[str]
    purpose: Mapped[str | None]
    content: Mapped[dict[str, Any]]
    # What it tells of, for whoever knows whether that still is so: {"check": …, …}.
    about: Mapped[dict[str, Any] | None]
    # What goes as a customer-service message in place of a template that cannot be had.
    otherwise: Mapped[dict[str, Any] | None]
    status: Mapped[DeliveryStatus] = mapped_column(
        status_column(DeliveryStatus), server_default=text("'queued'")
    )
    msgid: Mapped[str | None]
    errcode: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    result_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("account_id", "client_msg_id"),
        Index("ix_deliveries_msgid", "account_id", "msgid"),
        Index("ix_deliveries_openid", "account_id", "openid", "created_at"),
    )
