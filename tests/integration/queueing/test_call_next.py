"""Calling: in order, to several desks, from several queues, once per request."""

from datetime import timedelta

from o2o.crm.statuses import TicketPriority, TicketSource
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.call_next import CalledTicket, CallNext, call_next
from o2o.queueing.errors import DeskUnreadable, QueueEmpty, QueueNotFound
from tests.factories.members import count, given_member
from tests.factories.queues import called, given_hall, take, taken
from tests.fakes.clock import NOON


def ask(*queue_ids: object, desk: str = "1", **fields: object) -> CallNext:
    values = {"request_id": new_id(), "queue_ids": queue_ids, "desk": desk, "now": NOON}
    return CallNext(**{**values, **fields})  # type: ignore[arg-type]  # fields of the command


async def outcomes_of(sessions: SessionFactory, *commands: CallNext) -> list[CalledTicket | Fact]:
    async with transaction(sessions) as tx:
        return await call_next(tx, commands)


async def test_desks_that_ask_at_once_get_one_party_each(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(hall.a))

    first, second, third = await outcomes_of(
        sessions, ask(hall.a, desk="1"), ask(hall.a, desk=" 2 "), ask(hall.a, desk="3")
    )

    assert isinstance(first, CalledTicket)
    assert isinstance(second, CalledTicket)
    assert (first.code, first.desk, second.code, second.desk) == ("A001", "1", "A002", "2")
    assert first.call_seq < second.call_seq
    assert (first.party_size, first.is_recall, first.is_replay) == (2, False, False)
    assert isinstance(third, QueueEmpty)
    assert await count(sessions, "queue_calls", "kind = 'call'") == 2
    assert await count(sessions, "ticket_moves", "move = 'called'") == 2
    assert await count(sessions, "outbox_messages", "topic = 'ticket.called'") == 2
    # One for the two takes, one for the two calls.
    assert await count(sessions, "outbox_messages", "topic = 'queue.changed'") == 2
    assert await count(sessions, "queue_days", "waiting_ordinary = 0 AND version = 2") == 1


async def test_the_same_request_calls_nobody_else(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(hall.a), take(hall.b, party_size=3))
    command = ask(hall.a)

    once, at_once = await outcomes_of(sessions, command, ask(hall.a, request_id=command.request_id))
    again, other_desk, other_queue = await outcomes_of(
        sessions,
        command,
        ask(hall.a, desk="2", request_id=command.request_id),
        ask(hall.b, request_id=command.request_id),
    )

    assert isinstance(once, CalledTicket)
    for repeated in (at_once, again):
        assert isinstance(repeated, CalledTicket)
        assert repeated.is_replay
        assert (repeated.ticket_id, repeated.call_seq) == (once.ticket_id, once.call_seq)
    assert isinstance(other_desk, RequestBodyDiffers)
    assert isinstance(other_queue, RequestBodyDiffers)
    assert await count(sessions, "tickets", "status = 'called'") == 1


async def test_of_several_queues_whoever_waits_longest_is_called(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    for minute, (queue_id, size) in enumerate([(hall.b, 3), (hall.a, 2), (hall.b, 4), (hall.c, 6)]):
        at = NOON + timedelta(minutes=minute)
        await taken(sessions, take(queue_id, party_size=size, now=at))

    order = [(await called(sessions, hall.a, hall.b, hall.c)).code for _ in range(4)]

    assert order == ["B001", "A001", "B002", "C001"]


async def test_an_arrived_booking_is_called_before_longer_waits(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(hall.a))
    wish = take(
        hall.b,
        party_size=3,
        source=TicketSource.BOOKING,
        booking_id=new_id(),
        priority=TicketPriority.BOOKED,
        now=NOON + timedelta(hours=1),
    )
    [booked] = await taken(sessions, wish)

    first = await called(sessions, hall.a, hall.b)
    second = await called(sessions, hall.a, hall.b)

    assert first.ticket_id == booked.ticket_id
    assert second.code == "A001"


async def test_members_and_ordinary_parties_take_turns(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, has_member_priority=True, ordinary_between=2)
    async with transaction(sessions) as tx:
        members = [await given_member(tx, hall.brand) for _ in range(3)]
    await taken(sessions, *(take(hall.a) for _ in range(5)))
    await taken(sessions, *(take(hall.a, member_id=member_id) for member_id in members))

    order = [(await called(sessions, hall.a)).code for _ in range(8)]

    assert order == ["A006", "A001", "A002", "A007", "A003", "A004", "A008", "A005"]


async def test_a_day_that_is_over_calls_nobody(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a))

    [tomorrow] = await outcomes_of(sessions, ask(hall.a, now=NOON + timedelta(days=1)))

    assert isinstance(tomorrow, QueueEmpty)
    assert await count(sessions, "tickets", "status = 'waiting'") == 1


async def test_calls_from_elsewhere_and_without_a_desk_are_refused(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    other = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(other.a))

    outcomes = await outcomes_of(
        sessions,
        ask(hall.a, brand_id=other.brand.id),
        ask(hall.a, store_id=other.store.id),
        ask(hall.a, other.a),
        ask(new_id()),
        ask(),
    )
    unreadable = await outcomes_of(
        sessions, ask(hall.a, desk=" \u200b\n "), ask(hall.a, desk="3" * 13), ask(hall.a, desk="")
    )

    assert [type(outcome) for outcome in outcomes] == [QueueNotFound] * 5
    assert [type(outcome) for outcome in unreadable] == [DeskUnreadable] * 3
    assert await count(sessions, "tickets", "status = 'waiting'") == 2
    assert await count(sessions, "queue_calls") == 0
