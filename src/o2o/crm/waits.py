"""Tables of what was learnt about waits. Owner: `queueing`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from o2o.crm.base import Base


class WaitModel(Base):
    """What a queue's own past days say of its waits; made anew every day, never corrected."""

    __tablename__ = "wait_models"

    queue_id: Mapped[UUID] = mapped_column(ForeignKey("queues.id"), primary_key=True)
    learnt_at: Mapped[datetime]
    # The last business day that was looked at, and how many days and waits were.
    business_on: Mapped[date]
    days: Mapped[int]
    waits: Mapped[int]
    # How parties stay and what waits were like by score; None where the days say too little.
    learnt: Mapped[dict[str, Any] | None]

    __table_args__ = (CheckConstraint("days >= 0 AND waits >= 0", name="counts_not_negative"),)
