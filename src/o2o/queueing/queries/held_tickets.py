"""Tickets for moves and calls, read under the lock of their days."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import CallKind, TicketPriority, TicketSource, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.direct import fetch_rows
from o2o.queueing.commands import CalledTicket, ticket_code
from o2o.queueing.days import DayKey
from o2o.queueing.rules.wait_estimate import WaitEstimate
from o2o.queueing.standing import Standing

# More than any store seats in a day.
WAITING_MAX = 20_000

_COLUMNS = (
    "t.id, t.store_id, t.queue_id, t.business_on, t.number, t.party_size, t.status, t.priority,"
    " t.source, t.place, t.returns, t.member_id, t.fan_id, t.booking_id, t.taken_at, t.called_at,"
    " t.recalled_at, t.ended_at, t.travel_seconds, t.promised_low_seconds,"
    " t.promised_median_seconds, t.promised_high_seconds"
)
_DAYS_OF = text(
    "SELECT id, queue_id, business_on FROM tickets WHERE id = ANY(CAST(:ids AS uuid[]))"
)
# Whoever took a number before becoming a member has it as a member.
_MEMBER = (
    "coalesce(t.member_id, (SELECT f.member_id FROM fans f WHERE f.id = t.fan_id)) AS member_id"
)
_TICKETS = text(
    f"SELECT {_COLUMNS.replace('t.member_id', _MEMBER)} FROM tickets t"  # noqa: S608 - columns of ours
    " WHERE t.id = ANY(CAST(:ids AS uuid[]))"
)
_HEADS = text(
    f"SELECT {_COLUMNS} FROM unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[]))"  # noqa: S608
    " AS k(queue_id, business_on)"
    " CROSS JOIN unnest(CAST(:priorities AS text[])) AS p(priority)"
    " CROSS JOIN LATERAL (SELECT * FROM tickets w WHERE w.queue_id = k.queue_id"
    " AND w.business_on = k.business_on AND w.status = 'waiting' AND w.priority = p.priority"
    " ORDER BY w.place LIMIT :most) t"
    " ORDER BY t.place, t.id"
)
_OPEN = text(
    f"SELECT {_COLUMNS} FROM tickets t"  # noqa: S608 - columns of ours
    " JOIN unnest(CAST(:queue_ids AS uuid[]), CAST(:days AS date[])) AS k(queue_id, business_on)"
    " ON t.queue_id = k.queue_id AND t.business_on = k.business_on"
    " WHERE t.ended_at IS NULL AND t.status = ANY(CAST(:statuses AS text[]))"
    " ORDER BY t.id"
)
_CALLS = text(
    "SELECT c.seq, c.request_id, c.body_hash, c.ticket_id, c.queue_id, c.kind, c.desk,"
    " c.called_at, t.number, t.party_size, q.code"
    " FROM queue_calls c JOIN tickets t ON t.id = c.ticket_id JOIN queues q ON q.id = c.queue_id"
    " WHERE c.request_id = ANY(CAST(:ids AS uuid[]))"
)
_STEPS = text(
    "SELECT request_id, body_hash, ticket_id FROM ticket_moves"
    " WHERE request_id = ANY(CAST(:ids AS uuid[]))"
)
_OTHERS = text(
    f"SELECT t.id, t.store_id, t.queue_id, t.number, {_MEMBER}, t.fan_id, q.code"  # noqa: S608
    " FROM tickets t JOIN queues q ON q.id = t.queue_id"
    " WHERE t.store_id = ANY(CAST(:store_ids AS uuid[])) AND t.status IN ('waiting', 'called')"
    " AND (t.member_id = ANY(CAST(:member_ids AS uuid[]))"
    " OR t.fan_id = ANY(CAST(:fan_ids AS uuid[]) || ARRAY(SELECT f.id FROM fans f"
    " WHERE f.member_id = ANY(CAST(:member_ids AS uuid[])))))"
)
_LAST_DESKS = text(
    "SELECT DISTINCT ON (ticket_id) ticket_id, desk FROM queue_calls"
    " WHERE ticket_id = ANY(CAST(:ids AS uuid[])) ORDER BY ticket_id, seq DESC"
)


class EarlierCall(msgspec.Struct, frozen=True):
    """A call that was made already, and what had been asked for."""

    body_hash: bytes
    called: CalledTicket


class EarlierStep(msgspec.Struct, frozen=True):
    """A move that was made already."""

    body_hash: bytes | None
    ticket_id: UUID


class OtherTicket(msgspec.Struct, frozen=True):
    """An active ticket of somebody."""

    ticket_id: UUID
    store_id: UUID
    code: str
    member_id: UUID | None
    fan_id: UUID | None


async def list_days_of(tx: Tx, ticket_ids: Iterable[UUID]) -> dict[UUID, DayKey]:
    """Return which day each of these tickets belongs to, which never changes."""
    rows = await fetch_rows(tx, _DAYS_OF, {"ids": list(set(ticket_ids))})
    return {row.id: (row.queue_id, row.business_on) for row in rows}


async def list_standing(tx: Tx, ticket_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """Return these tickets as they stand."""
    rows = await fetch_rows(tx, _TICKETS, {"ids": list(set(ticket_ids))})
    return {row.id: _standing(row) for row in rows}


async def list_heads(
    tx: Tx, keys: Collection[DayKey], *, most: int = WAITING_MAX
) -> dict[DayKey, list[Standing]]:
    """Return who waits on these days, at most so many of each priority, in order of places."""
    found: dict[DayKey, list[Standing]] = {key: [] for key in keys}
    if not found:
        return found
    rows = await fetch_rows(
        tx,
        _HEADS,
        {
            **_arrays(list(found)),
            "priorities": [priority.value for priority in TicketPriority],
            "most": most,
        },
    )
    for row in rows:
        found[row.queue_id, row.business_on].append(_standing(row))
    return found


async def list_open(
    tx: Tx, keys: Collection[DayKey], *, statuses: Iterable[TicketStatus]
) -> list[Standing]:
    """Return the tickets of these days with one of these statuses that have not ended."""
    rows = await fetch_rows(
        tx, _OPEN, {**_arrays(list(keys)), "statuses": [status.value for status in statuses]}
    )
    return [_standing(row) for row in rows]


async def list_earlier_calls(tx: Tx, request_ids: Iterable[UUID]) -> dict[UUID, EarlierCall]:
    """Return the calls that these requests made already."""
    rows = await fetch_rows(tx, _CALLS, {"ids": list(request_ids)})
    return {row.request_id: EarlierCall(bytes(row.body_hash), _called(row)) for row in rows}


async def list_earlier_steps(tx: Tx, request_ids: Iterable[UUID]) -> dict[UUID, EarlierStep]:
    """Return the moves that these requests made already."""
    rows = await fetch_rows(tx, _STEPS, {"ids": list(request_ids)})
    return {
        row.request_id: EarlierStep(
            bytes(row.body_hash) if row.body_hash is not None else None, row.ticket_id
        )
        for row in rows
    }


async def list_others(tx: Tx, tickets: Sequence[Standing]) -> list[OtherTicket]:
    """Return the active tickets of the persons of these tickets in the same stores."""
    members = {t.member_id for t in tickets if t.member_id}
    fans = {t.fan_id for t in tickets if t.fan_id}
    if not (members or fans):
        return []
    rows = await fetch_rows(
        tx,
        _OTHERS,
        {
            "store_ids": list({t.store_id for t in tickets}),
            "member_ids": list(members),
            "fan_ids": list(fans),
        },
    )
    return [
        OtherTicket(
            row.id, row.store_id, ticket_code(row.code, row.number), row.member_id, row.fan_id
        )
        for row in rows
    ]


async def list_last_desks(tx: Tx, ticket_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return to which desk each of these tickets was called last."""
    rows = await fetch_rows(tx, _LAST_DESKS, {"ids": list(set(ticket_ids))})
    return {row.ticket_id: row.desk for row in rows}


def _arrays(keys: Sequence[tuple[UUID, date]]) -> dict[str, Any]:
    return {"queue_ids": [queue_id for queue_id, _ in keys], "days": [day for _, day in keys]}


def _called(row: Any) -> CalledTicket:
    return CalledTicket(
        ticket_id=row.ticket_id,
        code=ticket_code(row.code, row.number),
        queue_id=row.queue_id,
        desk=row.desk,
        party_size=row.party_size,
        is_recall=row.kind == CallKind.RECALL,
        called_at=row.called_at,
        call_seq=row.seq,
        is_replay=True,
    )


def _standing(row: Any) -> Standing:
    promise = None
    if row.promised_median_seconds is not None:
        promise = WaitEstimate(
            row.promised_low_seconds, row.promised_median_seconds, row.promised_high_seconds
        )
    status = TicketStatus(row.status)
    return Standing(
        ticket_id=row.id,
        store_id=row.store_id,
        queue_id=row.queue_id,
        business_on=row.business_on,
        number=row.number,
        party_size=row.party_size,
        status=status,
        was=status,
        priority=TicketPriority(row.priority),
        source=TicketSource(row.source),
        place=row.place,
        returns=row.returns,
        member_id=row.member_id,
        fan_id=row.fan_id,
        booking_id=row.booking_id,
        taken_at=row.taken_at,
        called_at=row.called_at,
        recalled_at=row.recalled_at,
        ended_at=row.ended_at,
        travel_seconds=row.travel_seconds,
        promise=promise,
    )
