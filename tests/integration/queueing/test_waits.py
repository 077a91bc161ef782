"""Waits are learnt from a queue's own days, told from who sits, and missed promises are noticed."""

import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bench.evenings import TableClass, evening
from o2o.crm.statuses import TicketStatus
from o2o.infra.database import SessionFactory, reading, transaction
from o2o.infra.schedule import Schedule
from o2o.infra.seal import Seal
from o2o.infra.subscriptions import Registry
from o2o.kernel.ids import new_id
from o2o.queueing import jobs_waits, learning
from o2o.queueing.actions.enter_past_tickets import PastTicket, enter_past_tickets
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.actions.move_to_queue import MoveToQueue, TakenTicket, move_to_queue
from o2o.queueing.actions.notice_missed_promises import notice_missed_promises
from o2o.queueing.learning import WaitLearner
from o2o.queueing.learning_process import LearningFailed, learn_apart
from o2o.queueing.queries.estimates import estimate_waits
from o2o.queueing.queries.wait_report import list_told_days, list_told_queues, sum_up
from o2o.queueing.rules.wait_estimate import ColdModel, LearntModel, WaitEstimate
from tests.factories.members import count
from tests.factories.queues import Hall, called, given_hall, moved, take, taken
from tests.fakes.clock import NOON, FakeClock

CLASS = TableClass("A", 6, 40 * 60, 0.25, 4.2)
DAYS = 21
# The business day of NOON, and the midnight with which it begins in Shanghai.
TODAY = datetime(2026, 11, 20, tzinfo=UTC).date()
MIDNIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC)


@pytest.fixture
async def hall(sessions: SessionFactory, seal: Seal) -> Hall:
    return await given_hall(sessions, seal=seal, apology={"text": "送您一份小食"})


async def given_past(sessions: SessionFactory, hall: Hall, *, days: int = DAYS) -> int:
    """So many evenings of class A, as the simulation plays them; returns the tickets."""
    tickets = []
    for ago in range(1, days + 1):
        midnight = MIDNIGHT - timedelta(days=ago)
        day = TODAY - timedelta(days=ago)
        for number, party in enumerate(evening(0, DAYS - ago, CLASS), start=1):
            called_at = midnight + timedelta(seconds=party.called_at)
            tickets.append(
                PastTicket(
                    ticket_id=new_id(),
                    request_id=new_id(),
                    store_id=hall.store.id,
                    queue_id=hall.a,
                    business_on=day,
                    number=number,
                    party_size=2,
                    status=TicketStatus.SEATED if party.is_seated else TicketStatus.CANCELLED,
                    source="pad",
                    taken_at=midnight + timedelta(seconds=party.taken_at),
                    called_at=called_at,
                    ended_at=called_at + timedelta(minutes=1),
                    promise=WaitEstimate(600, 1200, 2400),
                    parties_ahead=party.ahead,
                )
            )
    async with transaction(sessions) as tx:
        await enter_past_tickets(tx, tickets)
    return len(tickets)


async def test_a_queue_is_told_from_its_own_days_once_they_are_learnt(
    sessions: SessionFactory, hall: Hall
) -> None:
    await given_past(sessions, hall)
    learner = WaitLearner(sessions)
    async with transaction(sessions) as tx:
        before = await estimate_waits(tx, [hall.a, hall.b], now=NOON)
    learnt = await learner.learn(now=NOON, limit=10)
    again = await learner.learn(now=NOON + timedelta(hours=23), limit=10)
    async with transaction(sessions) as tx:
        after = await estimate_waits(tx, [hall.a, hall.b], now=NOON)
        kept = (await tx.execute(text("SELECT * FROM wait_models ORDER BY days DESC"))).all()

    assert isinstance(before[hall.a], ColdModel)
    assert set(learnt) == {hall.a, hall.b, hall.c}
    assert isinstance(after[hall.a], LearntModel)
    assert isinstance(after[hall.b], ColdModel)
    assert again == []
    assert [(row.days, row.learnt is not None) for row in kept] == [
        (DAYS, True),
        (0, False),
        (0, False),
    ]
    assert kept[0].business_on == TODAY - timedelta(days=1)


async def test_nobody_waits_for_learning_and_a_queue_that_fails_for_nobody(
    sessions: SessionFactory, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection is in a transaction while it is worked out; what a queue knew stays."""
    open_ones = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
    )
    seen: list[object] = []

    async def fail_at_first(*_: object, servers: int) -> None:
        async with reading(sessions) as tx:
            seen.append(await tx.scalar(open_ones))
        if len(seen) == 1:
            msg = "a past that nobody foresaw"
            raise ValueError(msg)

    monkeypatch.setattr(learning, "learn_apart", fail_at_first)
    registry = Registry()
    jobs_waits.register(registry, sessions=sessions)
    schedule = Schedule(sessions=sessions, registry=registry, clock=FakeClock())
    await schedule.register()
    learnt = []
    for _ in range(3):
        async with transaction(sessions) as tx:
            await tx.execute(text("UPDATE scheduled_jobs SET due_at = '2026-01-01'"))
        while await schedule.run_due():
            pass
        async with reading(sessions) as tx:
            learnt.append(await tx.scalar(text("SELECT count(*) FROM wait_models")))
            assert await tx.scalar(text("SELECT count(last_error) FROM scheduled_jobs")) == 0
    assert seen == [0, 0, 0]
    assert learnt == [1, 2, 3]


async def test_a_process_that_ends_without_an_answer_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LearningFailed, match="status 1"):
        await learn_apart([], servers=4)


async def test_a_past_that_teaches_nothing_yet_is_an_answer_and_no_failure() -> None:
    assert await learn_apart([], servers=4) is None


async def test_what_is_told_grows_with_the_parties_ahead_and_follows_the_evening(
    sessions: SessionFactory, hall: Hall
) -> None:
    await given_past(sessions, hall)
    await WaitLearner(sessions).learn(now=NOON, limit=1)
    evening_at = MIDNIGHT + timedelta(hours=18)
    for minutes in range(6):
        # Six tables taken within half an hour, at once.
        at = evening_at + timedelta(minutes=5 * minutes)
        await taken(sessions, take(hall.a, now=at))
        await called(sessions, hall.a, now=at)
    async with transaction(sessions) as tx:
        models = await estimate_waits(tx, [hall.a], now=evening_at + timedelta(minutes=30))
        later = await estimate_waits(tx, [hall.a], now=evening_at + timedelta(minutes=45))

    told = [models[hall.a].estimate(ahead) for ahead in range(8)]
    assert all(one.low_seconds <= one.median_seconds <= one.high_seconds for one in told)
    assert told[0].median_seconds < told[3].median_seconds < told[7].median_seconds
    # A quarter of an hour later everybody has sat that much longer.
    assert later[hall.a].estimate(0).median_seconds < told[0].median_seconds


async def test_a_promise_is_missed_once_and_only_while_the_party_waits(
    sessions: SessionFactory, hall: Hall
) -> None:
    first, second, third = await taken(sessions, *(take(hall.a, now=NOON) for _ in range(3)))
    assert third.estimate == WaitEstimate(600, 1200, 2160)
    await moved(sessions, Verb.CANCEL, second.ticket_id)
    async with transaction(sessions) as tx:
        in_time = await notice_missed_promises(tx, now=NOON + timedelta(seconds=2160), limit=9)
        late = await notice_missed_promises(tx, now=NOON + timedelta(seconds=2161), limit=9)
        again = await notice_missed_promises(tx, now=NOON + timedelta(hours=2), limit=9)
        events = (
            (
                await tx.execute(
                    text("SELECT payload FROM outbox_messages WHERE topic = 'wait.promise_missed'")
                )
            )
            .scalars()
            .all()
        )

    assert (in_time, late, again) == (0, 1, 0)
    [event] = events
    assert event["ticket_id"] == str(third.ticket_id)
    assert event["apology"] == {"text": "送您一份小食"}
    assert (event["median_seconds"], event["waited_seconds"]) == (1200, 2161)
    # The first was told no wait at all: there was nothing to miss.
    assert first.estimate == WaitEstimate(0, 0, 0)


async def test_a_party_that_is_called_meanwhile_is_not_told_of_a_missed_promise(
    sessions: SessionFactory, hall: Hall
) -> None:
    _, second, third = await taken(sessions, *(take(hall.a) for _ in range(3)))
    for _ in range(3):
        await called(sessions, hall.a)
    # Called in time; one was not there and waits again, one goes on in another queue.
    await moved(sessions, Verb.SKIP, second.ticket_id)
    assert not isinstance(await moved(sessions, Verb.RETURN, second.ticket_id), Exception)
    onward = MoveToQueue(request_id=new_id(), ticket_id=third.ticket_id, queue_id=hall.b, now=NOON)
    async with transaction(sessions) as tx:
        [gone_on] = await move_to_queue(tx, [onward])
    assert isinstance(gone_on, TakenTicket)
    assert await count(sessions, "tickets", "status = 'waiting'") == 2

    async with transaction(sessions) as tx:
        assert await notice_missed_promises(tx, now=NOON + timedelta(hours=5), limit=9) == 0


async def test_managers_see_which_share_of_waits_was_told_right(
    sessions: SessionFactory, hall: Hall
) -> None:
    await given_past(sessions, hall, days=2)
    since = TODAY - timedelta(days=27)
    async with transaction(sessions) as tx:
        days = await list_told_days(tx, store_id=hall.store.id, since=since, until=TODAY)
        queues = await list_told_queues(tx, store_id=hall.store.id, since=since, until=TODAY)
    waits = [
        party.called_at - party.taken_at
        for ago in (1, 2)
        for party in evening(0, DAYS - ago, CLASS)
    ]
    together = sum_up(days)

    assert together.told == len(waits)
    assert together.inside == sum(600 <= wait <= 2400 for wait in waits)
    assert together.sooner == sum(wait < 600 for wait in waits)
    assert together.later == sum(wait > 2400 for wait in waits)
    assert [(queue.code, queue.told) for queue in queues] == [
        ("A", len(waits)),
        ("B", 0),
        ("C", 0),
    ]
    assert queues[1].percent is None
