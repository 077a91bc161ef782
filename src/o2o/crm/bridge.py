"""Tables of the bridge to a hall's own queue machine. Owner: `queueing`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base


class Bridge(Base):
    """A store whose own machine calls the numbers, and the last that was heard of it."""

    __tablename__ = "bridges"

    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    # What the machine's side signs with.
    key_sealed: Mapped[bytes]
    # The number and the hash of the newest message; older ones change nothing.
    seq: Mapped[int] = mapped_column(server_default=text("0"))
    body_hash: Mapped[bytes | None]
    heard_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("seq >= 0", name="seq_not_negative"),
        CheckConstraint("(seq = 0) = (heard_at IS NULL)", name="heard_with_the_first"),
    )


class BridgeLine(Base):
    """What the machine last said of one line."""

    __tablename__ = "bridge_lines"

    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"), primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("bridges.store_id"))
    # Everybody who waits at the machine, those with our numbers included once it has taken them in.
    waiting: Mapped[int]
    called_number: Mapped[int | None]
    called_desk: Mapped[str | None]
    called_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("waiting BETWEEN 0 AND 9999", name="waiting_in_range"),
        CheckConstraint("called_number BETWEEN 1 AND 9999", name="called_number_in_range"),
    )
