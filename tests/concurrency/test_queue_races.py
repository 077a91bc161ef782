"""Two at once in a queue: who comes first wins, the other is told; and what each guard is for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from o2o.crm.statuses import QueueStatus, TicketStatus
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, Tx, transaction, violated_constraint
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.actions import take_tickets as take_module
from o2o.queueing.actions import write_moves
from o2o.queueing.actions.arrange_queues import retire_queue
from o2o.queueing.actions.call_next import CalledTicket, CallNext, call_next
from o2o.queueing.actions.move_tickets import MovedTicket, MoveTicket, Verb, move_tickets
from o2o.queueing.actions.run_queues import close_queue
from o2o.queueing.actions.take_tickets import TakenTicket, TakeTicket, take_tickets
from o2o.queueing.errors import (
    QueueEmpty,
    QueueNotOpen,
    TicketAlreadyActive,
    TicketNotActive,
    TicketNotCalled,
)
from o2o.queueing.queries import days
from o2o.queueing.queries.known_tickets import list_known
from o2o.web.errors import WriteConflict
from tests.concurrency.racing import both_at_once, until_blocked, without
from tests.factories.members import count, given_member
from tests.factories.queues import called, given_hall, moved, take, taken
from tests.fakes.clock import NOON

Act = Callable[[Tx], Awaitable[Any]]


def taking(command: TakeTicket) -> Act:
    async def act(tx: Tx) -> Any:
        [outcome] = await take_tickets(tx, [command])
        return outcome

    return act


def calling(queue_id: object, desk: str = "1", **fields: Any) -> Act:
    async def act(tx: Tx) -> Any:
        values = {"request_id": new_id(), "queue_ids": (queue_id,), "desk": desk, "now": NOON}
        [outcome] = await call_next(tx, [CallNext(**{**values, **fields})])
        return outcome

    return act


def moving(verb: Verb, ticket_id: object, **fields: Any) -> Act:
    async def act(tx: Tx) -> Any:
        values = {"request_id": new_id(), "ticket_id": ticket_id, "now": NOON}
        [outcome] = await move_tickets(tx, [(verb, MoveTicket(**{**values, **fields}))])
        return outcome

    return act


async def test_two_desks_never_call_one_party(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a))

    first, second = await both_at_once(sessions, calling(hall.a, "1"), calling(hall.a, "2"))

    assert isinstance(first, CalledTicket)
    assert isinstance(second, QueueEmpty)
    assert await count(sessions, "queue_calls") == 1


async def test_four_desks_call_everybody_once_and_in_order(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, *(take(hall.a) for _ in range(24)))

    async def desk(name: str) -> list[CalledTicket]:
        served: list[CalledTicket] = []
        while True:
            async with transaction(sessions) as tx:
                outcome = await calling(hall.a, name)(tx)
            if not isinstance(outcome, CalledTicket):
                return served
            served.append(outcome)

    everybody = [one for served in await asyncio.gather(*map(desk, "1234")) for one in served]

    in_order = sorted(everybody, key=lambda one: one.call_seq)
    assert [one.code for one in in_order] == [f"A{number:03d}" for number in range(1, 25)]


async def test_one_request_at_two_workers_calls_once(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a), take(hall.a))
    act = calling(hall.a, request_id=new_id())

    first, second = await both_at_once(sessions, act, act)

    assert (first.is_replay, second.is_replay) == (False, True)
    assert first.ticket_id == second.ticket_id
    assert await count(sessions, "tickets", "status = 'waiting'") == 1


async def test_who_cancels_first_is_not_called(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    gone, next_one = await taken(sessions, take(hall.a), take(hall.a))

    _, call = await both_at_once(sessions, moving(Verb.CANCEL, gone.ticket_id), calling(hall.a))

    assert isinstance(call, CalledTicket)
    assert call.ticket_id == next_one.ticket_id


async def test_who_is_called_first_cancels_a_called_number(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))

    call, cancel = await both_at_once(
        sessions, calling(hall.a), moving(Verb.CANCEL, ticket.ticket_id)
    )

    assert isinstance(call, CalledTicket)
    assert isinstance(cancel, MovedTicket)
    assert cancel.status is TicketStatus.CANCELLED
    assert await count(sessions, "queue_days", "waiting_ordinary <> 0") == 0


async def test_seated_and_skipped_at_once_one_wins(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a)

    seated, skipped = await both_at_once(
        sessions, moving(Verb.SEAT, ticket.ticket_id), moving(Verb.SKIP, ticket.ticket_id)
    )

    assert isinstance(seated, MovedTicket)
    assert isinstance(skipped, TicketNotActive)


async def test_back_in_line_and_called_meanwhile(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [missed] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a)
    await moved(sessions, Verb.SKIP, missed.ticket_id)

    back, call = await both_at_once(
        sessions, moving(Verb.RETURN, missed.ticket_id), calling(hall.a)
    )
    assert isinstance(back, MovedTicket)
    assert isinstance(call, CalledTicket)
    assert call.ticket_id == missed.ticket_id


async def test_a_number_is_taken_before_the_queue_closes_or_refused_after(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, serves_waiting_after_close=False)

    async def close(tx: Tx) -> int:
        return await close_queue(tx, hall.a, actor=SYSTEM, now=NOON)

    # A row for the day, so that both meet in it.
    await taken(sessions, take(hall.a))
    before, sent_home = await both_at_once(sessions, taking(take(hall.a)), close)
    assert isinstance(before, TakenTicket)
    assert sent_home == 2

    assert await count(sessions, "tickets", "status = 'waiting'") == 0
    other = await given_hall(sessions, seal=seal, brand=hall.brand)
    await taken(sessions, take(other.a))

    async def close_other(tx: Tx) -> int:
        return await close_queue(tx, other.a, actor=SYSTEM, now=NOON)

    _, refused = await both_at_once(sessions, close_other, taking(take(other.a)))
    assert isinstance(refused, QueueNotOpen)
    assert await count(sessions, "tickets", f"queue_id = '{other.a}'") == 1


async def test_the_status_is_read_again_under_the_lock_for_whoever_waited_for_it(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what was known before the lock, a number is given in a queue that has closed."""
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a))

    async def as_before(tx: Tx, commands: Any, **fields: Any) -> Any:
        known = await list_known(tx, commands, **fields)
        known.statuses = dict.fromkeys(known.statuses, QueueStatus.OPEN)
        return known

    async def close(tx: Tx) -> int:
        return await close_queue(tx, hall.a, actor=SYSTEM, now=NOON)

    monkeypatch.setattr(take_module, "list_known", as_before)
    _, outcome = await both_at_once(sessions, close, taking(take(hall.a)))

    assert isinstance(outcome, TakenTicket)


@pytest.mark.parametrize("has_lock", [True, False])
async def test_one_person_in_two_classes_at_once(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch, *, has_lock: bool
) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, hall.brand)
    if not has_lock:
        # Only the row of the own queue: the other class is another row, nobody waits for it.
        monkeypatch.setattr(
            take_module, "_to_lock", lambda aimed, _facts: {one.key for one in aimed}
        )

    first, second = await both_at_once(
        sessions,
        taking(take(hall.a, member_id=member_id)),
        taking(take(hall.b, party_size=3, member_id=member_id)),
    )

    assert isinstance(first, TakenTicket)
    if has_lock:
        assert isinstance(second, TicketAlreadyActive)
        assert second.number == "A001"
    else:
        # The last guard: no answer that a person could read, but never two numbers.
        assert isinstance(second, IntegrityError)
        assert violated_constraint(second) == "uq_tickets_active_member"
    assert await count(sessions, "tickets") == 1


async def test_without_the_lock_of_the_day_a_number_is_given_twice(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await given_hall(sessions, seal=seal)
    await taken(sessions, take(hall.a))
    monkeypatch.setattr(days, "_LOCK", without(days._LOCK, "FOR UPDATE OF d"))

    first, second = await both_at_once(sessions, taking(take(hall.a)), taking(take(hall.a)))

    assert isinstance(first, TakenTicket)
    # The last guard: the unique key of numbers.
    assert isinstance(second, IntegrityError)
    assert violated_constraint(second) == "uq_tickets_queue_id_business_on_number"


async def test_without_the_lock_of_the_day_a_call_meets_the_compare_of_statuses(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    monkeypatch.setattr(days, "_LOCK", without(days._LOCK, "FOR UPDATE OF d"))

    with pytest.raises(WriteConflict):
        await both_at_once(sessions, moving(Verb.CANCEL, ticket.ticket_id), calling(hall.a))

    assert await count(sessions, "tickets", "status = 'cancelled'") == 1
    assert await count(sessions, "queue_calls") == 0


async def test_without_lock_and_compare_somebody_who_left_is_called(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both guards are for."""
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    monkeypatch.setattr(days, "_LOCK", without(days._LOCK, "FOR UPDATE OF d"))
    monkeypatch.setattr(write_moves, "_MOVE", without(write_moves._MOVE, "AND t.status = s.was"))

    _, call = await both_at_once(sessions, moving(Verb.CANCEL, ticket.ticket_id), calling(hall.a))

    assert isinstance(call, CalledTicket)
    assert call.ticket_id == ticket.ticket_id


async def is_later_ticket_free(sessions: SessionFactory, seal: Seal) -> bool:
    """While somebody holds the earlier ticket, does a batch of calls already hold the later?"""
    hall = await given_hall(sessions, seal=seal)
    both = await taken(sessions, take(hall.a), take(hall.b, party_size=3))
    early, late = sorted(both, key=lambda ticket: ticket.ticket_id)
    async with transaction(sessions) as tx:
        # In the table it most likely lies behind the other one now.
        await tx.execute(
            text("UPDATE tickets SET returns = 0 WHERE id = :id"), {"id": early.ticket_id}
        )

    async def batch() -> None:
        async with transaction(sessions) as tx:
            # As a large table is joined: in the order in which its rows lie.
            for way in ("nestloop", "mergejoin"):
                await tx.execute(text(f"SET LOCAL enable_{way} = off"))
            wishes = [
                CallNext(request_id=new_id(), queue_ids=(queue_id,), desk="1", now=NOON)
                for queue_id in (hall.b, hall.a)
            ]
            await call_next(tx, wishes)

    lock = text("SELECT 1 FROM tickets WHERE id = :id FOR NO KEY UPDATE NOWAIT")
    async with transaction(sessions) as holder:
        await holder.execute(lock, {"id": early.ticket_id})
        task = asyncio.create_task(batch())
        await asyncio.wait_for(until_blocked(sessions), timeout=30)
        try:
            async with transaction(sessions) as tx:
                await tx.execute(lock, {"id": late.ticket_id})
            is_free = True
        except DBAPIError:
            is_free = False
    await task
    assert await count(sessions, "tickets", "status = 'called'") == 2
    return is_free


async def test_calls_lock_tickets_in_the_order_of_their_ids(
    sessions: SessionFactory, seal: Seal
) -> None:
    """As those do who tell parties that it is almost their turn: neither waits in a ring."""
    assert await is_later_ticket_free(sessions, seal)


async def test_in_another_order_a_batch_of_calls_holds_the_later_one_first(
    sessions: SessionFactory, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an order it is any: as the rows lie, or as the planner likes them."""
    statement, order = write_moves._MOVE.text, "ORDER BY id FOR NO KEY UPDATE"
    assert order in statement
    turned = statement.replace(order, "ORDER BY id DESC FOR NO KEY UPDATE")
    monkeypatch.setattr(write_moves, "_MOVE", text(turned))

    assert not await is_later_ticket_free(sessions, seal)


@pytest.mark.parametrize("way", ["closed", "retired"])
async def test_nobody_comes_back_into_a_line_that_ends_at_that_moment(
    sessions: SessionFactory, seal: Seal, way: str
) -> None:
    is_retired = way == "retired"
    hall = await given_hall(sessions, seal=seal, serves_waiting_after_close=is_retired)
    [ticket] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a)
    await moved(sessions, Verb.SKIP, ticket.ticket_id)
    if is_retired:
        async with transaction(sessions) as tx:
            await close_queue(tx, hall.a, actor=SYSTEM, now=NOON)

    async def end(tx: Tx) -> None:
        if is_retired:
            await retire_queue(tx, hall.a, store_id=hall.store.id, actor=SYSTEM, now=NOON)
        else:
            await close_queue(tx, hall.a, actor=SYSTEM, now=NOON)

    _, back = await both_at_once(sessions, end, moving(Verb.RETURN, ticket.ticket_id))

    assert isinstance(back, QueueNotOpen)
    assert await count(sessions, "tickets", "status = 'skipped'") == 1
    assert await count(sessions, "queue_days", "waiting_ordinary <> 0") == 0


async def test_skip_meets_a_return_by_the_guest(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [ticket] = await taken(sessions, take(hall.a))
    await called(sessions, hall.a)

    back, skip = await both_at_once(
        sessions, moving(Verb.RETURN, ticket.ticket_id), moving(Verb.SKIP, ticket.ticket_id)
    )

    assert isinstance(back, MovedTicket)
    assert isinstance(skip, TicketNotCalled)
    assert await count(sessions, "tickets", "status = 'waiting' AND returns = 1") == 1
