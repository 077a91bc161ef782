"""The numbers of one person, as their pages show them: where they stand and what comes next."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueKind, TicketPriority, TicketSource, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.commands import ticket_code
from o2o.queueing.errors import TicketNotFound
from o2o.queueing.queries.lines import LineState, list_lines
from o2o.queueing.queries.standings import IS_OWN, TicketStanding
from o2o.queueing.rules.notices import ToldRange, told_wait

_COLUMNS = (
    "SELECT t.id, t.store_id, t.queue_id, t.business_on, t.number, t.party_size, t.status,"
    " t.priority, t.source, t.returns, t.taken_at, t.ended_at, t.ahead_at_take,"
    " t.promise_missed_at, s.name AS store_name, s.address, s.timezone,"
    " q.code, q.name, q.name_en, q.kind,"
    " coalesce(c.returns_max, 1) AS returns_max, coalesce(c.return_behind, 3) AS return_behind,"
    " coalesce(c.notice_parties, 3) AS notice_parties, l.seq AS call_seq, l.desk, l.called_at,"
    " (SELECT n.id FROM tickets n WHERE n.moved_from_id = t.id ORDER BY n.taken_at DESC LIMIT 1)"
    " AS next_id,"
    " EXISTS (SELECT 1 FROM fans f WHERE f.is_following AND (f.id = t.fan_id"
    "  OR f.member_id = t.member_id)) AS is_told"
    " FROM tickets t JOIN stores s ON s.id = t.store_id JOIN queues q ON q.id = t.queue_id"
    " LEFT JOIN queue_settings c ON c.store_id = t.store_id"
    " LEFT JOIN LATERAL (SELECT seq, desk, called_at FROM queue_calls WHERE ticket_id = t.id"
    "  ORDER BY seq DESC LIMIT 1) l ON true"
)
_ONE = text(f"{_COLUMNS} WHERE t.id = :ticket_id AND s.brand_id = :brand_id AND {IS_OWN}")
_ACTIVE = text(
    f"{_COLUMNS} WHERE t.id IN (SELECT id FROM tickets"  # noqa: S608 - our own text
    " WHERE fan_id = :fan_id AND ended_at IS NULL"
    " UNION SELECT id FROM tickets WHERE member_id = :member_id AND ended_at IS NULL"
    " UNION SELECT w.id FROM tickets w JOIN fans f ON f.id = w.fan_id"
    "  WHERE f.member_id = :member_id AND w.ended_at IS NULL)"
    " AND s.brand_id = :brand_id AND t.taken_at > :since"
    " ORDER BY t.status = 'called' DESC, t.status = 'waiting' DESC, t.taken_at DESC LIMIT 5"
)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose numbers: a fan, the member he is, in one brand."""

    fan_id: UUID
    member_id: UUID | None
    brand_id: UUID


class OwnTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A number as its party sees it."""

    ticket_id: UUID
    store_id: UUID
    store_name: str
    address: str
    timezone: str
    queue_id: UUID
    business_on: date
    # As people read and hear it: B019.
    code: str
    line_name: str
    line_name_en: str
    kind: QueueKind
    party_size: int
    status: TicketStatus
    priority: TicketPriority
    source: TicketSource
    taken_at: datetime
    called_at: datetime | None
    ended_at: datetime | None
    desk: str | None
    # Changes where the page is another: see TicketStanding.
    mark: str
    can_return: bool
    # How often it may still come back after a miss, and behind how many parties then.
    returns_left: int
    return_behind: int
    notice_parties: int
    # Whether WeChat takes messages to this party: it follows an account.
    is_told: bool
    is_late: bool
    ahead_at_take: int
    # None unless it waits.
    ahead: int | None
    wait: ToldRange | None
    # The line's version that this was read at.
    version: int
    # Where it goes on, when it was moved.
    next_id: UUID | None

    @property
    def is_active(self) -> bool:
        """Whether the party still has something to wait for."""
        return self.status in {TicketStatus.WAITING, TicketStatus.CALLED, TicketStatus.SKIPPED}

    @property
    def steps(self) -> int:
        """How many parties were ahead at most: the length of the bar."""
        return max(self.ahead_at_take, self.ahead or 0) + 1

    @property
    def steps_done(self) -> int:
        """How far the bar has come."""
        return self.steps if self.ahead is None else self.steps - self.ahead - 1


async def get_own_ticket(tx: Tx, ticket_id: UUID, holder: Holder, *, now: datetime) -> OwnTicket:
    """Return a number of this person. Raises TicketNotFound for everybody else's, too."""
    rows = await fetch_rows(tx, _ONE, {"ticket_id": ticket_id, **_values(holder)})
    if not rows:
        raise TicketNotFound(ticket_id=ticket_id)
    return (await _own(tx, rows, now=now))[0]


async def list_own_active(
    tx: Tx, holder: Holder, *, since: datetime, now: datetime
) -> list[OwnTicket]:
    """Return the numbers of this person that are not over, called ones first."""
    rows = await fetch_rows(tx, _ACTIVE, {"since": since, **_values(holder)})
    return await _own(tx, rows, now=now)


def _values(holder: Holder) -> dict[str, Any]:
    return {
        "fan_id": holder.fan_id,
        "member_id": holder.member_id,
        "brand_id": holder.brand_id,
    }


async def _own(tx: Tx, rows: list[Any], *, now: datetime) -> list[OwnTicket]:
    keys = {(row.queue_id, row.business_on) for row in rows if row.status == "waiting"}
    lines = await list_lines(tx, keys, now=now) if keys else {}
    return [_ticket(row, lines.get((row.queue_id, row.business_on))) for row in rows]


def _ticket(row: Any, line: LineState | None) -> OwnTicket:
    status = TicketStatus(row.status)
    ahead = _ahead(row.id, line) if status is TicketStatus.WAITING else None
    wait = None
    if line is not None and ahead is not None:
        wait = told_wait(line.model.estimate(ahead))
    standing = TicketStanding(status, row.call_seq)
    return OwnTicket(
        ticket_id=row.id,
        store_id=row.store_id,
        store_name=row.store_name,
        address=row.address,
        timezone=row.timezone,
        queue_id=row.queue_id,
        business_on=row.business_on,
        code=ticket_code(row.code, row.number),
        line_name=row.name,
        line_name_en=row.name_en,
        kind=QueueKind(row.kind),
        party_size=row.party_size,
        status=status,
        priority=TicketPriority(row.priority),
        source=TicketSource(row.source),
        taken_at=row.taken_at,
        called_at=row.called_at,
        ended_at=row.ended_at,
        desk=row.desk,
        mark="waiting" if ahead is not None else standing.mark,
        can_return=status is TicketStatus.SKIPPED and row.returns < row.returns_max,
        returns_left=max(0, row.returns_max - row.returns),
        return_behind=row.return_behind,
        notice_parties=row.notice_parties,
        is_told=row.is_told,
        is_late=row.promise_missed_at is not None,
        ahead_at_take=row.ahead_at_take,
        ahead=ahead,
        wait=wait,
        version=line.version if line else 0,
        next_id=row.next_id,
    )


def _ahead(ticket_id: UUID, line: LineState | None) -> int | None:
    return line.places.get(ticket_id) if line is not None else None
