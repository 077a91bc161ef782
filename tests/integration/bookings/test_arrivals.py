"""Whoever booked and comes: what becomes of another number that he has here."""

from datetime import timedelta

import msgspec
from sqlalchemy import text

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.queueing.actions.arrive_bookings import BOOKING_ARRIVED
from o2o.queueing.booking_commands import Arrived
from o2o.queueing.errors import TicketAlreadyActive
from tests.factories.bookings import given_fans, given_hall
from tests.factories.queues import called, take, taken
from tests.integration.bookings.test_changes import NINE, arrive, book


async def test_who_booked_gives_up_the_number_he_took_at_the_door(
    sessions: SessionFactory, seal: Seal
) -> None:
    """In time and not called yet: that one goes, and nobody apologises for it."""
    hall = await given_hall(sessions, seal=seal, capacity=9, early_minutes=30, grace_minutes=15)
    fans = await given_fans(sessions, hall, 3)
    booked = [await book(sessions, hall, fan=fan) for fan in fans]
    in_time, late, standing = (
        msgspec.structs.replace(
            hall.change(one.booking_id, fan_id=fan.id), now=NINE + timedelta(minutes=minutes)
        )
        for one, fan, minutes in zip(booked, fans, (0, 16, 0), strict=True)
    )
    walked_in = await taken(
        sessions, *(take(hall.queue.id, fan_id=fan.id, now=NINE) for fan in reversed(fans))
    )
    await called(sessions, hall.queue.id, now=NINE)

    outcomes = await arrive(sessions, in_time, late, standing)
    [again] = await arrive(sessions, in_time)

    assert isinstance(outcomes[0], Arrived)
    assert (outcomes[0].ticket_code, outcomes[0].parties_ahead) == ("A004", 0)
    assert isinstance(again, Arrived)
    assert again.ticket_code == "A004"
    assert [type(one) for one in outcomes[1:]] == [TicketAlreadyActive] * 2
    async with sessions() as tx:
        rows = await tx.execute(text("SELECT status, priority FROM tickets ORDER BY number"))
        assert [tuple(row) for row in rows] == [
            ("called", "ordinary"),
            ("waiting", "ordinary"),
            ("cancelled", "ordinary"),
            ("waiting", "booked"),
        ]
        moves = await tx.execute(
            text("SELECT ticket_id, reason FROM ticket_moves WHERE reason IS NOT NULL")
        )
        assert [tuple(row) for row in moves] == [(walked_in[2].ticket_id, BOOKING_ARRIVED)]
        ended = text(
            "SELECT payload->>'by_store' FROM outbox_messages WHERE topic = 'ticket.ended'"
        )
        assert (await tx.execute(ended)).scalars().all() == ["false"]
