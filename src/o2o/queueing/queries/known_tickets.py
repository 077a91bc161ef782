"""What is known when numbers are taken: requests that were answered, and who has a number."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import QueueStatus, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.commands import TakeTicket, ticket_code
from o2o.queueing.queries.bridges import NOT_TAKEN_IN, at_machine_on
from o2o.queueing.rules.wait_estimate import WaitEstimate


class KnownTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as a new wish for a number sees it."""

    ticket_id: UUID
    request_id: UUID
    body_hash: bytes
    store_id: UUID
    queue_id: UUID
    business_on: date
    code: str
    number: int
    status: TicketStatus
    member_id: UUID | None
    fan_id: UUID | None
    ahead_at_take: int
    promise: WaitEstimate | None


class Known(msgspec.Struct):
    """Read under the locks of the days, so that nothing of it changes before the commit."""

    by_request: dict[UUID, KnownTicket]
    # By store and person (member or fan): who is waiting or called.
    active: dict[tuple[UUID, UUID], KnownTicket]
    statuses: dict[UUID, QueueStatus]
    # By queue, where a machine of the hall's own calls: who waits there, and who is to be taken in.
    at_machine: dict[UUID, int]


_COLUMNS = (
    "SELECT t.id, t.request_id, t.body_hash, t.store_id, t.queue_id, t.business_on, t.number,"
    " t.status, t.member_id, t.fan_id, t.ahead_at_take, t.promised_low_seconds,"
    " t.promised_median_seconds, t.promised_high_seconds,"
    " (SELECT q.code FROM queues q WHERE q.id = t.queue_id) AS letter,"
    " NULL AS queue_status,"
    " (SELECT f.member_id FROM fans f WHERE f.id = t.fan_id) AS fans_member_id"
    " FROM tickets t"
)
_NEWEST_DAY = "(SELECT max(d.business_on) FROM queue_days d WHERE d.queue_id = q.id)"
# The statuses of queues come along, once more: one may have closed while its row was waited for.
# In the place of who is ahead stands what a hall's own machine says.
_QUEUES = (
    "SELECT NULL, NULL, NULL, NULL, q.id, NULL, NULL, NULL, NULL, NULL,"  # noqa: S608 - our own text
    f" {at_machine_on(_NEWEST_DAY)}"
    f" + (SELECT {NOT_TAKEN_IN} FROM bridge_lines l WHERE l.queue_id = q.id),"
    " NULL, NULL, NULL,"
    " q.code, q.status, NULL FROM queues q WHERE q.id = ANY(CAST(:queue_ids AS uuid[]))"
)
_REQUESTS = f"{_COLUMNS} WHERE t.request_id = ANY(CAST(:request_ids AS uuid[]))"
_EARLIER = text(_REQUESTS)
_ACTIVE = "t.store_id = ANY(CAST(:store_ids AS uuid[])) AND t.status IN ('waiting', 'called')"
_KNOWN = text(f"{_REQUESTS} UNION ALL {_QUEUES}")
_KNOWN_AND_ACTIVE = text(
    f"{_KNOWN.text}"  # noqa: S608 - our own text
    f" UNION ALL {_COLUMNS} WHERE t.member_id = ANY(CAST(:member_ids AS uuid[])) AND {_ACTIVE}"
    # Whoever took a number before becoming a member has it still: the fan's is the member's.
    f" UNION ALL {_COLUMNS} WHERE t.fan_id = ANY(CAST(:fan_ids AS uuid[]) || ARRAY(SELECT f.id"
    f" FROM fans f WHERE f.member_id = ANY(CAST(:member_ids AS uuid[])))) AND {_ACTIVE}"
)


async def list_known(
    tx: Tx,
    commands: Sequence[TakeTicket],
    *,
    queue_ids: Sequence[UUID],
    store_ids: Sequence[UUID],
) -> Known:
    """Return what these commands meet: earlier answers, active tickets, the queues' statuses."""
    members = {command.member_id for command in commands if command.member_id}
    fans = {command.fan_id for command in commands if command.fan_id}
    values: dict[str, Any] = {
        "request_ids": [command.request_id for command in commands],
        "queue_ids": list(queue_ids),
    }
    if members or fans:
        values |= {
            "member_ids": list(members),
            "fan_ids": list(fans),
            "store_ids": list(store_ids),
        }
    rows = await fetch_rows(tx, _KNOWN_AND_ACTIVE if members or fans else _KNOWN, values)
    asked = set(values["request_ids"])
    known = Known({}, {}, {}, {})
    for row in rows:
        if row.id is None:
            known.statuses[row.queue_id] = QueueStatus(row.queue_status)
            if row.ahead_at_take is not None:
                known.at_machine[row.queue_id] = row.ahead_at_take
            continue
        ticket = _known(row)
        if ticket.request_id in asked:
            known.by_request[ticket.request_id] = ticket
        if ticket.status in {TicketStatus.WAITING, TicketStatus.CALLED}:
            for person in (ticket.member_id, row.fans_member_id, ticket.fan_id):
                if person is not None:
                    known.active[ticket.store_id, person] = ticket
    return known


async def list_known_requests(tx: Tx, request_ids: Sequence[UUID]) -> dict[UUID, KnownTicket]:
    """Return the tickets that these requests made already."""
    rows = await fetch_rows(tx, _EARLIER, {"request_ids": list(request_ids)})
    return {row.request_id: _known(row) for row in rows}


def _known(row: Any) -> KnownTicket:
    promise = None
    if row.promised_median_seconds is not None:
        promise = WaitEstimate(
            row.promised_low_seconds, row.promised_median_seconds, row.promised_high_seconds
        )
    return KnownTicket(
        ticket_id=row.id,
        request_id=row.request_id,
        body_hash=bytes(row.body_hash),
        store_id=row.store_id,
        queue_id=row.queue_id,
        business_on=row.business_on,
        code=ticket_code(row.letter, row.number),
        number=row.number,
        status=TicketStatus(row.status),
        member_id=row.member_id,
        fan_id=row.fan_id,
        ahead_at_take=row.ahead_at_take,
        promise=promise,
    )
