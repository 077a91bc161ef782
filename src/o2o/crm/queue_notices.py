"""Table of what the parties of tickets were told. Owner: `queueing`.

One row per fact: the row is written with the message, so a fact that has one is never told again.
What became of the message, and through which channel, stands in `deliveries`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base, status_column
from o2o.crm.statuses import TicketNoticeKind


class TicketNotice(Base):
    """A fact about a ticket that its party was told in WeChat."""

    __tablename__ = "ticket_notices"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    kind: Mapped[TicketNoticeKind] = mapped_column(
        status_column(TicketNoticeKind), primary_key=True
    )
    # Which call it tells of (`queue_calls.seq`); 0 where the fact is no call.
    call_seq: Mapped[int] = mapped_column(primary_key=True, server_default=text("0"))
    # Under which WeChat shows the message once, whatever is sent again.
    client_msg_id: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "(kind IN ('called', 'recalled')) = (call_seq > 0)",
            name="call_named_where_there_is_one",
        ),
    )
