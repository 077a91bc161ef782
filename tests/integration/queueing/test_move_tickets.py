"""Recall, skip, return, seat and cancel: what each does, when it may not, and for whom."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from o2o.crm.statuses import TicketStatus
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.actions.move_tickets import MovedTicket, MoveTicket, Verb, move_tickets
from o2o.queueing.errors import (
    NumberPassed,
    ReturnsExhausted,
    TicketAlreadyActive,
    TicketNotActive,
    TicketNotCalled,
    TicketNotFound,
    TicketWaitsAlready,
)
from o2o.queueing.queries.tickets import find_active_ticket, get_ticket, list_active_tickets
from tests.factories.members import count, given_fan, given_member
from tests.factories.queues import called, given_hall, moved, take, taken
from tests.fakes.clock import NOON

S = TicketStatus


async def history(sessions: SessionFactory, ticket_id: object) -> list[str]:
    async with sessions() as tx:
        rows = await tx.execute(
            text("SELECT move FROM ticket_moves WHERE ticket_id = :id ORDER BY seq"),
            {"id": ticket_id},
        )
        return list(rows.scalars())


async def test_a_party_is_called_again_missed_put_back_and_seated(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    first, *_ = await taken(sessions, *(take(hall.a) for _ in range(5)))
    await called(sessions, hall.a, desk="3")

    recalled = await moved(sessions, Verb.RECALL, first.ticket_id)
    skipped = await moved(sessions, Verb.SKIP, first.ticket_id)
    back = await moved(sessions, Verb.RETURN, first.ticket_id)
    order = [(await called(sessions, hall.a)).code for _ in range(4)]
    seated = await moved(sessions, Verb.SEAT, first.ticket_id)

    assert isinstance(recalled, MovedTicket)
    assert (recalled.status, recalled.call_seq is not None) == (S.CALLED, True)
    assert isinstance(skipped, MovedTicket)
    assert skipped.status is S.SKIPPED
    assert isinstance(back, MovedTicket)
    assert (back.status, back.parties_ahead) == (S.WAITING, 3)
    assert order == ["A002", "A003", "A004", "A001"]
    assert isinstance(seated, MovedTicket)
    assert seated.status is S.SEATED
    assert await history(sessions, first.ticket_id) == [
        "taken",
        "called",
        "recalled",
        "skipped",
        "returned",
        "called",
        "seated",
    ]
    # The recall went to the desk of the call.
    assert await count(sessions, "queue_calls", "kind = 'recall' AND desk = '3'") == 1
    ended = "topic = 'ticket.ended' AND payload ->> 'status' = 'seated'"
    assert await count(sessions, "outbox_messages", ended) == 1


async def test_one_comes_back_once_unless_the_store_allows_more(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    outcomes = []
    for _ in range(2):
        await called(sessions, hall.a)
        await moved(sessions, Verb.SKIP, ticket.ticket_id)
        outcomes.append(await moved(sessions, Verb.RETURN, ticket.ticket_id))

    assert [type(outcome) for outcome in outcomes] == [MovedTicket, ReturnsExhausted]
    assert await count(sessions, "tickets", "status = 'skipped' AND returns = 1") == 1
    async with transaction(sessions) as tx:
        view = await get_ticket(tx, ticket.ticket_id, now=NOON)
    assert not view.can_return


REFUSALS = [
    (S.WAITING, Verb.RECALL, TicketNotCalled),
    (S.WAITING, Verb.SKIP, TicketNotCalled),
    (S.WAITING, Verb.RETURN, TicketWaitsAlready),
    (S.SKIPPED, Verb.SKIP, NumberPassed),
    (S.SKIPPED, Verb.SEAT, NumberPassed),
    *((S.SEATED, verb, TicketNotActive) for verb in Verb),
    *((S.CANCELLED, verb, TicketNotActive) for verb in Verb),
]


async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    tickets = await taken(sessions, *(take(hall.a) for _ in range(4)))
    by_status = dict(zip((S.SKIPPED, S.SEATED, S.CANCELLED, S.WAITING), tickets, strict=True))
    await called(sessions, hall.a)
    await moved(sessions, Verb.SKIP, by_status[S.SKIPPED].ticket_id)
    await moved(sessions, Verb.SEAT, by_status[S.SEATED].ticket_id)
    await moved(sessions, Verb.CANCEL, by_status[S.CANCELLED].ticket_id)
    before = await count(sessions, "ticket_moves"), await count(sessions, "outbox_messages")

    for status, verb, expected in REFUSALS:
        outcome = await moved(sessions, verb, by_status[status].ticket_id)
        assert isinstance(outcome, expected), (status, verb, outcome)

    after = await count(sessions, "ticket_moves"), await count(sessions, "outbox_messages")
    assert after == before


async def test_a_move_that_is_sent_again_happens_once(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    first, second = await taken(sessions, take(hall.a), take(hall.a))
    command = MoveTicket(request_id=new_id(), ticket_id=first.ticket_id, now=NOON)
    async with transaction(sessions) as tx:
        outcomes = await move_tickets(tx, [(Verb.CANCEL, command), (Verb.CANCEL, command)])
    again = await moved(
        sessions, Verb.CANCEL, first.ticket_id, request_id=command.request_id, reason="why"
    )
    other_verb = await moved(sessions, Verb.SEAT, first.ticket_id, request_id=command.request_id)
    other_ticket = await moved(
        sessions, Verb.CANCEL, second.ticket_id, request_id=command.request_id
    )

    replays = [o.is_replay for o in [*outcomes, again] if isinstance(o, MovedTicket)]
    assert replays == [False, True, True]
    assert isinstance(other_verb, RequestBodyDiffers)
    assert isinstance(other_ticket, RequestBodyDiffers)
    assert await count(sessions, "ticket_moves", "move = 'cancelled'") == 1


@pytest.mark.parametrize("is_by_guest", [True, False])
async def test_guests_reach_their_own_numbers_and_the_store_is_named_where_it_ends_them(
    sessions: SessionFactory, seal: Seal, *, is_by_guest: bool
) -> None:
    hall = await given_hall(sessions, seal=seal)
    other = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, hall.account)
        member_id = await given_member(tx, hall.brand)
    [ticket] = await taken(sessions, take(hall.a, fan_id=fan.id, member_id=member_id))

    for stranger in (
        {"is_by_guest": True},
        {"is_by_guest": True, "fan_id": new_id(), "member_id": new_id()},
        {"brand_id": other.brand.id},
        {"store_id": other.store.id},
    ):
        outcome = await moved(sessions, Verb.CANCEL, ticket.ticket_id, **stranger)
        assert isinstance(outcome, TicketNotFound)
    who = {"is_by_guest": True, "fan_id": fan.id} if is_by_guest else {"store_id": hall.store.id}
    done = await moved(sessions, Verb.CANCEL, ticket.ticket_id, **who)

    assert isinstance(done, MovedTicket)
    by_store = "false" if is_by_guest else "true"
    where = f"topic = 'ticket.ended' AND payload ->> 'by_store' = '{by_store}'"
    assert await count(sessions, "outbox_messages", where) == 1
    assert await count(sessions, "queue_days", "waiting_ordinary <> 0") == 0


async def test_nobody_comes_back_to_two_numbers(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
    [missed] = await taken(sessions, take(hall.a, member_id=member_id))
    await called(sessions, hall.a)
    await moved(sessions, Verb.SKIP, missed.ticket_id)
    [new] = await taken(sessions, take(hall.b, party_size=3, member_id=member_id))

    for verb in (Verb.RETURN, Verb.RECALL):
        outcome = await moved(sessions, verb, missed.ticket_id)
        assert isinstance(outcome, TicketAlreadyActive)
        assert (outcome.ticket_id, outcome.number) == (new.ticket_id, "B001")

    async with transaction(sessions) as tx:
        held = await find_active_ticket(tx, member_id=member_id, now=NOON)
    assert held is not None
    assert held.ticket_id == new.ticket_id


async def test_yesterdays_miss_does_not_come_back(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a)
    await moved(sessions, Verb.SKIP, ticket.ticket_id)

    late = NOON + timedelta(days=1)
    outcome = await moved(sessions, Verb.RETURN, ticket.ticket_id, now=late)

    assert isinstance(outcome, TicketNotActive)
    async with transaction(sessions) as tx:
        assert not (await get_ticket(tx, ticket.ticket_id, now=late)).can_return


async def test_a_skipped_party_that_appears_is_called_again(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a, desk="1")
    await moved(sessions, Verb.SKIP, ticket.ticket_id)

    again = await moved(sessions, Verb.RECALL, ticket.ticket_id, desk="2")

    assert isinstance(again, MovedTicket)
    assert again.status is S.CALLED
    async with transaction(sessions) as tx:
        view = await get_ticket(tx, ticket.ticket_id, now=NOON)
    assert (view.desk, view.status, view.parties_ahead) == ("2", S.CALLED, None)


async def test_tickets_in_the_order_in_which_they_are_called(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, has_member_priority=True)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
    await taken(sessions, *(take(hall.a) for _ in range(3)), take(hall.a, member_id=member_id))
    await called(sessions, hall.a)
    await called(sessions, hall.a, now=NOON + timedelta(minutes=1))

    async with transaction(sessions) as tx:
        views = await list_active_tickets(tx, queue_id=hall.a, now=NOON)

    assert [(v.code, v.status, v.parties_ahead) for v in views] == [
        ("A004", S.CALLED, None),
        ("A001", S.CALLED, None),
        ("A002", S.WAITING, 0),
        ("A003", S.WAITING, 1),
    ]
