"""Check in who booked: at the pad by code, or by the guest at the door. The booking goes on as a
ticket, served first when in time, in turn with the others after the grace.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TicketPriority, TicketSource
from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.queueing.actions.cancel_bookings import check_reach
from o2o.queueing.actions.move_tickets import MoveTicket, cancel_tickets
from o2o.queueing.actions.record_booking_moves import (
    BookingStep,
    other_intentions,
    record_booking_moves,
)
from o2o.queueing.actions.take_tickets import TakenTicket, TakeTicket, take_tickets
from o2o.queueing.booking_commands import Arrived, ChangeBooking
from o2o.queueing.errors import TicketAlreadyActive
from o2o.queueing.errors_bookings import ArrivedTooEarly, BookingEnded, BookingMissed
from o2o.queueing.events_bookings import BookingArrived
from o2o.queueing.moves_bookings import BOOKING_MOVES
from o2o.queueing.queries.booking_plans import list_plans
from o2o.queueing.queries.bookings import KnownBooking, list_ticket_codes, lock_bookings
from o2o.queueing.rules.booking_arrival import Arrival, arrival_of, early_from
from o2o.queueing.rules.booking_plan import Plan

# A booking becomes one ticket, however often it arrives: the ticket's request is named by it.
_AS_TICKET = UUID("0192f7a0-6b1e-7d53-9c1d-5e0f3a2b4c6d")

BOOKING_ARRIVED = "booking_arrived"

_WALKED_IN = text(
    "SELECT id, fan_id, member_id FROM tickets WHERE id = ANY(CAST(:ticket_ids AS uuid[]))"
    " AND status = 'waiting' AND booking_id IS NULL"
)
_ARRIVE = text(
    "UPDATE bookings b SET status = 'arrived', arrived_at = m.at, ticket_id = m.ticket_id"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]), CAST(:tickets AS uuid[]))"
    " AS m(id, at, ticket_id) WHERE b.id = m.id AND b.status = 'booked'"
)


class _Coming(msgspec.Struct, kw_only=True):
    """One arrival on its way."""

    command: ChangeBooking
    booking: KnownBooking | None = None
    is_late: bool = False
    result: Arrived | Fact | None = None


async def arrive_bookings(tx: Tx, commands: Sequence[ChangeBooking]) -> list[Arrived | Fact]:
    """Answer each in order; who is here already is answered with the number there is.

    Facts: BookingNotFound, BookingEnded, ArrivedTooEarly, BookingMissed, RequestBodyDiffers, and
    those of take_tickets.
    Publishes `booking.arrived`, and ticket.ended for a number that is given up for the new one.
    """
    locked = await lock_bookings(tx, [command.booking_id for command in commands])
    plans = await list_plans(
        tx, [booking.store_id for booking in locked.values()], now=commands[0].now
    )
    others = await other_intentions(tx, commands, move="arrived")
    coming = [
        _Coming(
            command=command, result=others.get(command.request_id) if command.request_id else None
        )
        for command in commands
    ]
    for one in coming:
        if one.result is not None:
            continue
        try:
            one.booking = check_reach(locked.get(one.command.booking_id), one.command)
            one.is_late = _check(one.booking, plans[one.booking.store_id], one.command)
        except Fact as fact:
            one.result = fact
    await _answer_here(tx, [one for one in coming if one.result is None])
    await _take(tx, [one for one in coming if one.result is None])
    return [one.result for one in coming if one.result is not None]


def _check(booking: KnownBooking, plan: Plan, command: ChangeBooking) -> bool:
    """Return whether the arrival is late. Raises BookingEnded, ArrivedTooEarly, BookingMissed."""
    if booking.status is BookingStatus.ARRIVED:
        return False
    if booking.status is not BookingStatus.BOOKED:
        raise BookingEnded(status=booking.status.value)
    arrival = arrival_of(
        booking.starts_at,
        now=command.now,
        early_minutes=plan.early_minutes,
        grace_minutes=plan.grace_minutes,
        no_show_minutes=plan.no_show_minutes,
    )
    if arrival is Arrival.TOO_EARLY:
        from_at = early_from(booking.starts_at, early_minutes=plan.early_minutes)
        raise ArrivedTooEarly(from_at=from_at.astimezone(plan.zone))
    if arrival is Arrival.MISSED:
        raise BookingMissed
    return arrival is Arrival.LATE


async def _answer_here(tx: Tx, coming: Sequence[_Coming]) -> None:
    """Answer for who is here already with the number there is."""
    here = {
        one.booking.booking_id: one.booking
        for one in coming
        if one.booking is not None and one.booking.status is BookingStatus.ARRIVED
    }
    tickets = await list_ticket_codes(tx, list(here))
    for one in coming:
        if one.booking is None or one.booking.booking_id not in here:
            continue
        ticket_id, code = tickets[one.booking.booking_id]
        one.result = Arrived(
            booking_id=one.booking.booking_id,
            code=one.booking.code,
            ticket_id=ticket_id,
            ticket_code=code,
            parties_ahead=None,
            is_late=False,
            is_replay=True,
        )


async def _take(tx: Tx, coming: Sequence[_Coming]) -> None:
    if not coming:
        return
    wishes = [_ticket_wish(one) for one in coming]
    taken = await take_tickets(tx, wishes)
    taken = await _in_place_of_numbers(tx, coming, wishes=wishes, taken=taken)
    new: dict[UUID, tuple[_Coming, TakenTicket]] = {}
    for one, ticket in zip(coming, taken, strict=True):
        booking = one.booking
        assert booking is not None
        if isinstance(ticket, Fact):
            one.result = ticket
            continue
        is_replay = booking.booking_id in new
        if not is_replay:
            new[booking.booking_id] = (one, ticket)
        one.result = Arrived(
            booking_id=booking.booking_id,
            code=booking.code,
            ticket_id=ticket.ticket_id,
            ticket_code=ticket.code,
            parties_ahead=ticket.parties_ahead,
            is_late=one.is_late,
            is_replay=is_replay,
        )
    await _arrive(tx, list(new.values()))


async def _in_place_of_numbers(
    tx: Tx,
    coming: Sequence[_Coming],
    *,
    wishes: Sequence[TakeTicket],
    taken: list[TakenTicket | Fact],
) -> list[TakenTicket | Fact]:
    """Let those in time give up the number they took without saying that they had booked.

    Whoever was called already keeps that number, and so does who comes late: it may stand before
    the one he would get. Nothing is given up unless the other is sure: that somebody has a number
    is the last thing that is looked at, and the days of the store are locked since.
    """
    in_the_way = {
        outcome.ticket_id: one.command
        for one, outcome in zip(coming, taken, strict=True)
        if isinstance(outcome, TicketAlreadyActive) and not one.is_late
    }
    if not in_the_way:
        return taken
    rows = await tx.execute(_WALKED_IN, {"ticket_ids": list(in_the_way)})
    given_up = [_giving_up(row, in_the_way[row.id]) for row in rows]
    if not given_up:
        return taken
    await cancel_tickets(tx, given_up)
    # Who has a number by now is answered with it again.
    return await take_tickets(tx, wishes)


def _giving_up(row: Any, command: ChangeBooking) -> MoveTicket:
    return MoveTicket(
        request_id=uuid5(_AS_TICKET, f"{command.booking_id}/{row.id}"),
        ticket_id=row.id,
        # His own wish, so nobody apologises for it.
        is_by_guest=True,
        fan_id=row.fan_id,
        member_id=row.member_id,
        staff_id=command.staff_id,
        pad_id=command.pad_id,
        api_key_id=command.api_key_id,
        reason=BOOKING_ARRIVED,
        now=command.now,
    )


def _ticket_wish(one: _Coming) -> TakeTicket:
    booking, command = one.booking, one.command
    assert booking is not None
    return TakeTicket(
        request_id=uuid5(_AS_TICKET, str(booking.booking_id)),
        store_id=booking.store_id,
        queue_id=booking.queue_id,
        party_size=booking.party_size,
        source=TicketSource.BOOKING,
        member_id=booking.member_id,
        fan_id=booking.fan_id,
        priority=TicketPriority.ORDINARY if one.is_late else TicketPriority.BOOKED,
        booking_id=booking.booking_id,
        staff_id=command.staff_id,
        pad_id=command.pad_id,
        api_key_id=command.api_key_id,
        now=command.now,
    )


async def _arrive(tx: Tx, new: Sequence[tuple[_Coming, TakenTicket]]) -> None:
    if not new:
        return
    BOOKING_MOVES.check(BookingStatus.BOOKED, BookingStatus.ARRIVED)
    bookings = [one.booking for one, _ in new if one.booking is not None]
    await tx.execute(
        _ARRIVE,
        {
            "ids": [booking.booking_id for booking in bookings],
            "ats": [one.command.now for one, _ in new],
            "tickets": [ticket.ticket_id for _, ticket in new],
        },
    )
    steps = [
        BookingStep(
            booking_id=booking.booking_id,
            move="arrived",
            from_status=BookingStatus.BOOKED,
            to_status=BookingStatus.ARRIVED,
            starts_at=booking.starts_at,
            request_id=one.command.request_id,
            staff_id=one.command.staff_id,
            pad_id=one.command.pad_id,
            api_key_id=one.command.api_key_id,
            at=one.command.now,
        )
        for (one, _), booking in zip(new, bookings, strict=True)
    ]
    await record_booking_moves(tx, steps)
    events = [
        BookingArrived(
            booking_id=booking.booking_id,
            store_id=booking.store_id,
            member_id=booking.member_id,
            ticket_id=ticket.ticket_id,
            is_late=one.is_late,
        )
        for (one, ticket), booking in zip(new, bookings, strict=True)
    ]
    await publish(tx, *events, now=new[0][0].command.now)
