"""The relay against PostgreSQL: once per subscriber, in order per key, dead letters kept."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from o2o.infra import relay as relay_module
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.outbox import Errand, publish, send
from o2o.infra.relay import Relay
from o2o.infra.relay_queries import revive_dead
from o2o.infra.subscriptions import Lanes, Never, Registry, Topics
from o2o.kernel.events import Event
from tests.fakes.clock import FakeClock


class BellRung(Event, frozen=True, kw_only=True):
    name = "bell.rung"

    times: int


async def count(sessions: SessionFactory, table: str, where: str = "true") -> int:
    async with sessions() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)


async def test_an_event_reaches_each_subscriber_once_although_one_failed_first(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    heard: list[tuple[str, int]] = []
    failures = [RuntimeError("not yet")]

    async def first(_: Tx, event: BellRung) -> None:
        heard.append(("first", event.times))

    async def second(_: Tx, event: BellRung) -> None:
        if failures:
            raise failures.pop()
        heard.append(("second", event.times))

    registry = Registry()
    registry.subscribe(BellRung, first)
    registry.subscribe(BellRung, second)
    relay = Relay(sessions=sessions, registry=registry, clock=clock)
    async with transaction(sessions) as tx:
        await publish(tx, BellRung(times=3), now=clock.now())

    assert await relay.deliver_due() == 1
    assert await relay.deliver_due() == 0
    clock.advance(seconds=2)
    assert await relay.deliver_due() == 1

    assert heard == [("first", 3), ("second", 3)]
    assert await count(sessions, "outbox_messages") == 0


async def test_an_event_of_an_undone_transaction_is_never_heard(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    try:
        async with transaction(sessions) as tx:
            await publish(tx, BellRung(times=1), now=clock.now())
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert await count(sessions, "outbox_messages") == 0


async def test_errands_with_one_key_keep_their_order_through_a_failure(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    done: list[int] = []
    failing = True

    async def perform(payload: dict[str, Any]) -> None:
        if payload["n"] == 1 and failing:
            raise ConnectionError
        done.append(payload["n"])

    registry = Registry()
    registry.perform("test.do", perform)
    relay = Relay(sessions=sessions, registry=registry, clock=clock)
    async with transaction(sessions) as tx:
        errands = [
            Errand(topic="test.do", payload={"n": n}, ordering_key="same") for n in (1, 2, 3)
        ]
        other = Errand(topic="test.do", payload={"n": 9}, ordering_key="other")
        await send(tx, [*errands, other], now=clock.now())

    await relay.deliver_due()
    assert done == [9]
    failing = False
    for _ in range(4):
        clock.advance(seconds=30)
        await relay.deliver_due()
    assert done == [9, 1, 2, 3]


async def test_what_is_urgent_is_left_to_lanes_of_its_own_and_waits_for_no_other(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    done: list[str] = []

    async def perform(payload: dict[str, Any]) -> None:
        done.append(payload["name"])

    async def hear(_: Tx, events: Sequence[BellRung]) -> None:
        done.append(f"heard {len(events)}")

    registry = Registry()
    registry.perform("test.do", perform)
    registry.perform("test.do_at_once", perform, is_urgent=True)
    registry.subscribe_many(BellRung, hear, is_urgent=True)
    lanes = registry.lanes
    assert lanes == Lanes(
        urgent_events=Topics(only=frozenset({BellRung.name}), is_urgent=True),
        urgent_errands=Topics(
            only=frozenset({"test.do_at_once"}), are_errands=True, is_urgent=True
        ),
        errands=Topics(only=frozenset({"test.do"}), are_errands=True),
        events=Topics(without=frozenset({BellRung.name, "test.do_at_once", "test.do"})),
    )
    urgent_events, urgent_errands, errands, rest = (
        Relay(sessions=sessions, registry=registry, clock=clock, topics=topics)
        for topics in (lanes.urgent_events, lanes.urgent_errands, lanes.errands, lanes.events)
    )
    async with transaction(sessions) as tx:
        before = [Errand(topic="test.do", payload={"name": f"news {n}"}) for n in range(40)]
        call = Errand(topic="test.do_at_once", payload={"name": "call"})
        await send(tx, [*before, call], now=clock.now())
        await publish(tx, BellRung(times=1), now=clock.now())

    assert await urgent_errands.deliver_due() == 1
    assert await urgent_events.deliver_due() == 1
    assert done == ["call", "heard 1"]
    assert await rest.deliver_due() == 0
    while await errands.deliver_due():
        pass
    assert sorted(done) == sorted(["call", "heard 1", *(f"news {n}" for n in range(40))])


async def test_a_lane_of_events_wakes_that_of_the_errands_it_makes(
    sessions: SessionFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "ERRAND_POLL_SECONDS", 3600.0)
    is_done = asyncio.Event()

    async def ask(tx: Tx, event: BellRung) -> None:
        await send(tx, [Errand(topic="test.do", payload={"n": event.times})], now=clock.now())

    async def perform(_: dict[str, Any]) -> None:
        is_done.set()

    registry = Registry()
    registry.subscribe(BellRung, ask)
    registry.perform("test.do", perform)
    lanes = registry.lanes
    errands = Relay(sessions=sessions, registry=registry, clock=clock, topics=lanes.errands)
    events = Relay(
        sessions=sessions, registry=registry, clock=clock, topics=lanes.events, wakes=[errands]
    )
    running = [asyncio.create_task(lane.run()) for lane in (errands, events)]
    # Until both have found nothing.
    await asyncio.sleep(0.2)
    async with transaction(sessions) as tx:
        await publish(tx, BellRung(times=1), now=clock.now())
    await asyncio.wait_for(is_done.wait(), 30)
    for lane in (errands, events):
        lane.stop()
    await asyncio.gather(*running)
    assert await count(sessions, "outbox_messages") == 0


async def test_errands_stand_back_while_urgent_ones_are_more_than_can_be_done(
    sessions: SessionFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "ERRAND_BATCH_MAX", 2)
    monkeypatch.setattr(relay_module, "ERRAND_BATCHES_AT_ONCE", 1)
    monkeypatch.setattr(relay_module, "STAND_BACK_SECONDS", 3600.0)
    done: list[str] = []
    is_called, are_calls_answered, is_told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def call(_: dict[str, Any]) -> None:
        is_called.set()
        await are_calls_answered.wait()
        done.append("call")

    async def tell(_: dict[str, Any]) -> None:
        done.append("news")
        is_told.set()

    registry = Registry()
    registry.perform("test.call", call, is_urgent=True)
    registry.perform("test.tell", tell)
    urgent = Relay(
        sessions=sessions, registry=registry, clock=clock, topics=registry.lanes.urgent_errands
    )
    others = Relay(
        sessions=sessions,
        registry=registry,
        clock=clock,
        topics=registry.lanes.errands,
        after=[urgent],
    )
    async with transaction(sessions) as tx:
        await send(tx, [Errand(topic="test.call", payload={}) for _ in range(4)], now=clock.now())
    running = [asyncio.create_task(urgent.run())]
    await asyncio.wait_for(is_called.wait(), 30)
    async with transaction(sessions) as tx:
        await send(tx, [Errand(topic="test.tell", payload={})], now=clock.now())
    running.append(asyncio.create_task(others.run()))
    await asyncio.sleep(0.2)
    assert done == []
    are_calls_answered.set()
    await asyncio.wait_for(is_told.wait(), 30)
    for lane in (urgent, others):
        lane.stop()
    await asyncio.gather(*running)
    assert done == [*("call",) * 4, "news"]


async def test_a_hopeless_errand_becomes_a_dead_letter_that_can_be_revived(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    calls: list[dict[str, Any]] = []

    async def perform(payload: dict[str, Any]) -> None:
        calls.append(payload)
        if len(calls) == 1:
            raise Never("refused")

    registry = Registry()
    registry.perform("test.do", perform)
    relay = Relay(sessions=sessions, registry=registry, clock=clock)
    async with transaction(sessions) as tx:
        await send(tx, [Errand(topic="test.do", payload={"n": 1})], now=clock.now())

    await relay.deliver_due()
    assert await count(sessions, "outbox_messages", "dead_at IS NOT NULL") == 1
    clock.advance(hours=1)
    assert await relay.deliver_due() == 0
    async with transaction(sessions) as tx:
        assert await revive_dead(tx, topic=None, now=clock.now()) == 1
    assert await relay.deliver_due() == 1
    assert await count(sessions, "outbox_messages") == 0


async def test_an_errand_with_a_known_dedupe_key_is_not_written_again(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    errand = Errand(topic="test.do", payload={}, dedupe_key="one")
    async with transaction(sessions) as tx:
        await send(tx, [errand, errand], now=clock.now())
        await send(tx, [errand], now=clock.now())
    assert await count(sessions, "outbox_messages") == 1


async def test_a_lease_that_ran_out_lets_another_relay_take_over(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await send(tx, [Errand(topic="test.do", payload={})], now=clock.now())
    async with transaction(sessions) as tx:  # A relay that dies after claiming.
        await tx.execute(
            text("UPDATE outbox_messages SET leased_until = :until"),
            {"until": clock.now().replace(minute=1)},
        )
    relay = Relay(sessions=sessions, registry=Registry(), clock=clock)
    assert await relay.deliver_due() == 0
    clock.advance(minutes=2)
    assert await relay.deliver_due() == 1


async def test_a_swarm_is_handled_together_and_one_bad_event_holds_nobody_up(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    heard: list[list[int]] = []

    async def together(_: Tx, events: Sequence[BellRung]) -> None:
        times = [event.times for event in events]
        if 2 in times and clock.now() < later:
            raise ZeroDivisionError
        heard.append(times)

    later = clock.now() + timedelta(seconds=1)
    registry = Registry()
    registry.subscribe_many(BellRung, together)
    relay = Relay(sessions=sessions, registry=registry, clock=clock)
    async with transaction(sessions) as tx:
        await publish(tx, *(BellRung(times=n) for n in (1, 2, 3)), now=clock.now())

    assert await relay.deliver_due() == 3
    assert heard == [[1], [3]]
    assert await count(sessions, "outbox_messages") == 1
    clock.advance(seconds=2)
    assert await relay.deliver_due() == 1
    async with transaction(sessions) as tx:
        await publish(tx, *(BellRung(times=n) for n in (4, 5)), now=clock.now())
    await relay.deliver_due()
    assert heard == [[1], [3], [2], [4, 5]]
    assert await count(sessions, "outbox_messages") == 0


async def test_lanes_take_their_own_topics_and_swarms_of_errands_go_at_once(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    done: list[Any] = []

    async def slowly(payload: dict[str, Any]) -> None:
        done.append(payload["n"])

    async def at_once(payloads: Sequence[dict[str, Any]]) -> None:
        done.append([payload["n"] for payload in payloads])

    registry = Registry()
    registry.perform("test.slow", slowly)
    registry.perform_many("test.quick", at_once)
    slow, quick = (
        Relay(sessions=sessions, registry=registry, clock=clock, topics=topics)
        for topics in (registry.lanes.errands, registry.lanes.events)
    )
    async with transaction(sessions) as tx:
        topics = ("test.slow", "test.quick", "test.quick")
        errands = [Errand(topic=topic, payload={"n": n}) for n, topic in enumerate(topics)]
        await send(tx, errands, now=clock.now())

    assert await quick.deliver_due() == 2
    assert done == [[1, 2]]
    assert await slow.deliver_due() == 1
    assert done == [[1, 2], 0]
    assert await count(sessions, "outbox_messages") == 0
