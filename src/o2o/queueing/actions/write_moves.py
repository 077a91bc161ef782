"""Write moves and calls of tickets down: where they stand, their histories, who is called where."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.queueing.moves import TICKET_MOVES
from o2o.queueing.standing import Call, Standing, changed_tickets
from o2o.web.errors import WriteConflict

# Only from the status that was read: under the day's lock nothing moves, but a number that left
# must never be called, whatever else goes wrong.
_MOVE = text(
    # In one order for everybody: whoever tells that it is almost their turn locks tickets, too.
    "WITH locked AS MATERIALIZED (SELECT id FROM tickets WHERE id = ANY(CAST(:ids AS uuid[]))"
    " ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE tickets t SET status = s.status, priority = s.priority, place = s.place,"
    " returns = s.returns, called_at = s.called_at, recalled_at = s.recalled_at,"
    " ended_at = s.ended_at,"
    # Whoever comes back stands nowhere at a machine until that has taken him in again.
    " ahead_at_machine = CASE WHEN s.status <> 'waiting' THEN t.ahead_at_machine END"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:was AS text[]), CAST(:statuses AS text[]),"
    " CAST(:priorities AS text[]), CAST(:places AS bigint[]), CAST(:returns AS smallint[]),"
    " CAST(:called AS timestamptz[]), CAST(:recalled AS timestamptz[]),"
    " CAST(:ended AS timestamptz[]))"
    " AS s(id, was, status, priority, place, returns, called_at, recalled_at, ended_at)"
    " JOIN locked USING (id) WHERE t.id = s.id AND t.status = s.was RETURNING t.id"
)
_STEPS = text(
    "INSERT INTO ticket_moves (ticket_id, from_status, to_status, move, request_id, body_hash,"
    " staff_id, pad_id, api_key_id, reason, at)"
    " SELECT ticket_id, from_status, to_status, move, request_id, body_hash, staff_id, pad_id,"
    " api_key_id, reason, at FROM unnest(CAST(:ids AS uuid[]), CAST(:froms AS text[]),"
    " CAST(:tos AS text[]), CAST(:moves AS text[]), CAST(:request_ids AS uuid[]),"
    " CAST(:hashes AS bytea[]), CAST(:staff_ids AS uuid[]), CAST(:pad_ids AS uuid[]),"
    " CAST(:key_ids AS uuid[]), CAST(:reasons AS text[]), CAST(:ats AS timestamptz[]))"
    " WITH ORDINALITY AS m(ticket_id, from_status, to_status, move, request_id, body_hash,"
    " staff_id, pad_id, api_key_id, reason, at, position) ORDER BY position"
)
_CALLS = text(
    "INSERT INTO queue_calls (request_id, body_hash, store_id, queue_id, business_on, ticket_id,"
    " kind, desk, called_at)"
    " SELECT request_id, body_hash, store_id, queue_id, business_on, ticket_id, kind, desk, at"
    " FROM unnest(CAST(:request_ids AS uuid[]), CAST(:hashes AS bytea[]),"
    " CAST(:store_ids AS uuid[]), CAST(:queue_ids AS uuid[]), CAST(:days AS date[]),"
    " CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:desks AS text[]),"
    " CAST(:ats AS timestamptz[])) WITH ORDINALITY AS c(request_id, body_hash, store_id,"
    " queue_id, business_on, ticket_id, kind, desk, at, position) ORDER BY position"
    " RETURNING seq, request_id"
)


async def write_moves(
    tx: Tx, tickets: Iterable[Standing], calls: Sequence[Call] = ()
) -> dict[UUID, int]:
    """Write the tickets that moved and these calls; return each call's number by its request.

    Raises WriteConflict when a ticket is no longer what was read.
    """
    moved = changed_tickets(tickets)
    if not moved:
        return {}
    for ticket in moved:
        for step in ticket.steps:
            TICKET_MOVES.check(step.from_status, step.to_status)
    written = await write_rows(tx, _MOVE, _move_values(moved))
    if len(written) != len(moved):
        raise WriteConflict
    await write_rows(tx, _STEPS, _step_values(moved))
    if not calls:
        return {}
    rows = await write_rows(tx, _CALLS, _call_values(calls))
    return {row.request_id: row.seq for row in rows}


def _move_values(moved: Collection[Standing]) -> dict[str, Any]:
    return {
        "ids": [t.ticket_id for t in moved],
        "was": [t.was.value for t in moved],
        "statuses": [t.status.value for t in moved],
        "priorities": [t.priority.value for t in moved],
        "places": [t.place for t in moved],
        "returns": [t.returns for t in moved],
        "called": [t.called_at for t in moved],
        "recalled": [t.recalled_at for t in moved],
        "ended": [t.ended_at for t in moved],
    }


def _step_values(moved: Collection[Standing]) -> dict[str, Any]:
    pairs = [(ticket, step) for ticket in moved for step in ticket.steps]
    return {
        "ids": [ticket.ticket_id for ticket, _ in pairs],
        "froms": [step.from_status.value for _, step in pairs],
        "tos": [step.to_status.value for _, step in pairs],
        "moves": [step.move for _, step in pairs],
        "request_ids": [step.request_id for _, step in pairs],
        "hashes": [step.asked for _, step in pairs],
        "staff_ids": [step.by.staff_id for _, step in pairs],
        "pad_ids": [step.by.pad_id for _, step in pairs],
        "key_ids": [step.by.api_key_id for _, step in pairs],
        "reasons": [step.reason for _, step in pairs],
        "ats": [step.by.now for _, step in pairs],
    }


def _call_values(calls: Sequence[Call]) -> dict[str, Any]:
    return {
        "request_ids": [call.request_id for call in calls],
        "hashes": [call.asked for call in calls],
        "store_ids": [call.ticket.store_id for call in calls],
        "queue_ids": [call.ticket.queue_id for call in calls],
        "days": [call.ticket.business_on for call in calls],
        "ids": [call.ticket.ticket_id for call in calls],
        "kinds": [call.kind.value for call in calls],
        "desks": [call.desk for call in calls],
        "ats": [call.at for call in calls],
    }
