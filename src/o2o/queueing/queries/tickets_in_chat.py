"""The numbers that people hold today, for many people at once: where they stand, how long yet."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueKind, TicketStatus
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day
from o2o.queueing.commands import ticket_code
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.queries.tickets import list_positions
from o2o.queueing.rules.wait_estimate import WaitEstimate
from o2o.wechat.chat.asks import Ask

# Nobody stands in more places than he could answer for in one message.
HELD_MAX = 5

_COLUMNS = (
    "t.id, t.store_id, t.queue_id, t.business_on, t.number, t.party_size, t.status, t.returns,"
    " t.taken_at"
)
_HELD = text(
    "SELECT a.place, t.*, s.name AS store_name,"  # noqa: S608 - our own text
    " s.hours, s.timezone, q.code, q.name AS queue_name, q.name_en, q.kind,"
    " coalesce(c.returns_max, 1) AS returns_max, l.desk"
    " FROM unnest(CAST(:account_ids AS uuid[]), CAST(:fan_ids AS uuid[]),"
    " CAST(:member_ids AS uuid[])) WITH ORDINALITY AS a(account_id, fan_id, member_id, place)"
    f" CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM tickets t"
    "  WHERE t.fan_id = a.fan_id AND t.ended_at IS NULL"
    f" UNION SELECT {_COLUMNS} FROM tickets t"
    "  WHERE t.member_id = a.member_id AND t.ended_at IS NULL) t"
    " JOIN stores s ON s.id = t.store_id AND s.account_id = a.account_id"
    " JOIN queues q ON q.id = t.queue_id"
    " LEFT JOIN queue_settings c ON c.store_id = s.id"
    " LEFT JOIN LATERAL (SELECT desk FROM queue_calls WHERE ticket_id = t.id"
    "  ORDER BY seq DESC LIMIT 1) l ON t.status = 'called'"
    " ORDER BY a.place, t.taken_at DESC, t.id"
)


class HeldTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A number that somebody holds on the store's business day, waiting, called or missed."""

    ticket_id: UUID
    store_id: UUID
    store_name: str
    queue_id: UUID
    kind: QueueKind
    line_name: str
    line_name_en: str
    # As people read and hear it: B019.
    code: str
    party_size: int
    status: TicketStatus
    # None unless it waits.
    parties_ahead: int | None
    estimate: WaitEstimate | None
    # Where it was called to; None unless it is called.
    desk: str | None
    # It was missed, and may go back into the line.
    can_return: bool

    @property
    def has_table(self) -> bool:
        """Whether it is a table that is waited for."""
        return self.kind is QueueKind.TABLE_CLASS

    @property
    def is_active(self) -> bool:
        """Whether it stands in the way of another number in this store."""
        return self.status is not TicketStatus.SKIPPED


async def list_held_tickets(tx: Tx, asks: Sequence[Ask]) -> list[list[HeldTicket]]:
    """Return the numbers of today that each person holds in the account's stores, newest first.

    At most five of each, in four statements for any number of people.
    """
    held: list[list[HeldTicket]] = [[] for _ in asks]
    if not asks:
        return held
    now = asks[0].now
    rows = await tx.execute(
        _HELD,
        {
            "account_ids": [ask.account.id for ask in asks],
            "fan_ids": [ask.fan_id for ask in asks],
            "member_ids": [ask.member_id for ask in asks],
        },
    )
    today = [
        row
        for row in rows
        if row.business_on == business_day(now, hours=row.hours, timezone=row.timezone)
    ]
    waiting = [row for row in today if row.status == TicketStatus.WAITING.value]
    ahead = await list_positions(tx, [(row.queue_id, row.business_on) for row in waiting])
    queue_ids = sorted({row.queue_id for row in waiting})
    models = await estimate_waits(tx, queue_ids, now=now) if queue_ids else {}
    for row in today:
        mine = held[row.place - 1]
        if len(mine) < HELD_MAX:
            mine.append(_ticket(row, ahead.get(row.id), models.get(row.queue_id)))
    return held


def _ticket(row: Any, ahead: int | None, model: Any) -> HeldTicket:
    status = TicketStatus(row.status)
    return HeldTicket(
        ticket_id=row.id,
        store_id=row.store_id,
        store_name=row.store_name,
        queue_id=row.queue_id,
        kind=QueueKind(row.kind),
        line_name=row.queue_name,
        line_name_en=row.name_en,
        code=ticket_code(row.code, row.number),
        party_size=row.party_size,
        status=status,
        parties_ahead=ahead,
        estimate=model.estimate(ahead) if model is not None and ahead is not None else None,
        desk=row.desk,
        can_return=status is TicketStatus.SKIPPED and row.returns < row.returns_max,
    )
