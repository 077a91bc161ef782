"""Write new tickets down: the numbers, the first line of their histories and the days' counts."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TicketPriority, TicketSource, TicketStatus
from o2o.infra.database import Tx
from o2o.infra.direct import write_rows
from o2o.queueing.actions.keep_days import KEEP_DAYS, changed_of, day_values
from o2o.queueing.commands import MoveToQueue, TakeTicket
from o2o.queueing.days import Day
from o2o.queueing.rules.wait_estimate import WaitEstimate

# One statement: a number without its ticket, or a ticket without its history, cannot be.
_INSERT = text(
    f"WITH kept AS ({KEEP_DAYS}),"  # noqa: S608 - put together from texts of ours
    " taken AS (INSERT INTO tickets (id, request_id, body_hash, store_id, queue_id, business_on,"
    " number, party_size, status, priority, source, place, member_id, fan_id, booking_id,"
    " moved_from_id, taken_at, travel_seconds, promised_low_seconds, promised_median_seconds,"
    " promised_high_seconds, ahead_at_take)"
    " SELECT id, request_id, body_hash, store_id, queue_id, business_on, number, party_size,"
    " 'waiting', priority, source, place, member_id, fan_id, booking_id, moved_from_id, taken_at,"
    " travel, low, median, high, ahead"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:request_ids AS uuid[]), CAST(:hashes AS bytea[]),"
    " CAST(:store_ids AS uuid[]), CAST(:queue_ids AS uuid[]), CAST(:days AS date[]),"
    " CAST(:numbers AS bigint[]), CAST(:sizes AS smallint[]), CAST(:priorities AS text[]),"
    " CAST(:sources AS text[]), CAST(:places AS bigint[]), CAST(:member_ids AS uuid[]),"
    " CAST(:fan_ids AS uuid[]), CAST(:booking_ids AS uuid[]), CAST(:from_ids AS uuid[]),"
    " CAST(:taken_ats AS timestamptz[]), CAST(:travels AS bigint[]), CAST(:lows AS bigint[]),"
    " CAST(:medians AS bigint[]), CAST(:highs AS bigint[]), CAST(:aheads AS bigint[]))"
    " AS n(id, request_id, body_hash, store_id, queue_id, business_on, number, party_size,"
    " priority, source, place, member_id, fan_id, booking_id, moved_from_id, taken_at, travel,"
    " low, median, high, ahead))"
    " INSERT INTO ticket_moves (ticket_id, to_status, move, staff_id, pad_id, api_key_id, at)"
    " SELECT ticket_id, 'waiting', 'taken', staff_id, pad_id, api_key_id, at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:staff_ids AS uuid[]), CAST(:pad_ids AS uuid[]),"
    " CAST(:key_ids AS uuid[]), CAST(:nows AS timestamptz[]))"
    " AS m(ticket_id, staff_id, pad_id, api_key_id, at)"
)


class NewTicket(msgspec.Struct, kw_only=True):
    """A ticket that is about to be written."""

    ticket_id: UUID
    # Who acts, and when.
    command: TakeTicket | MoveToQueue
    asked: bytes
    day: Day
    number: int
    place: int
    party_size: int
    priority: TicketPriority
    source: TicketSource
    member_id: UUID | None
    fan_id: UUID | None
    booking_id: UUID | None
    moved_from_id: UUID | None
    taken_at: Any
    travel_seconds: int | None
    promise: WaitEstimate | None
    parties_ahead: int
    status: TicketStatus = TicketStatus.WAITING

    @property
    def code(self) -> str:
        """Return the number as people read it."""
        return self.day.code_of(self.number)


async def insert_tickets(tx: Tx, new: Sequence[NewTicket], days: Collection[Day]) -> None:
    """Insert tickets with numbers of these locked days, and write the days."""
    promises = [ticket.promise for ticket in new]
    commands = [ticket.command for ticket in new]
    await write_rows(
        tx,
        _INSERT,
        {
            **day_values(changed_of(days)),
            "ids": [ticket.ticket_id for ticket in new],
            "request_ids": [command.request_id for command in commands],
            "hashes": [ticket.asked for ticket in new],
            "store_ids": [ticket.day.queue.store_id for ticket in new],
            "queue_ids": [ticket.day.queue.queue_id for ticket in new],
            "days": [ticket.day.business_on for ticket in new],
            "numbers": [ticket.number for ticket in new],
            "sizes": [ticket.party_size for ticket in new],
            "priorities": [ticket.priority.value for ticket in new],
            "sources": [ticket.source.value for ticket in new],
            "places": [ticket.place for ticket in new],
            "member_ids": [ticket.member_id for ticket in new],
            "fan_ids": [ticket.fan_id for ticket in new],
            "booking_ids": [ticket.booking_id for ticket in new],
            "from_ids": [ticket.moved_from_id for ticket in new],
            "taken_ats": [ticket.taken_at for ticket in new],
            "travels": [ticket.travel_seconds for ticket in new],
            "lows": [promise.low_seconds if promise else None for promise in promises],
            "medians": [promise.median_seconds if promise else None for promise in promises],
            "highs": [promise.high_seconds if promise else None for promise in promises],
            "aheads": [ticket.parties_ahead for ticket in new],
            "staff_ids": [command.staff_id for command in commands],
            "pad_ids": [command.pad_id for command in commands],
            "key_ids": [command.api_key_id for command in commands],
            "nows": [command.now for command in commands],
        },
    )
