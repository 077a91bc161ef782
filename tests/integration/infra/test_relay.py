"""The relay against PostgreSQL: once per subscriber, in order per key, dead letters kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.outbox import Errand, publish, send
from o2o.infra.relay import Relay
from o2o.infra.relay_queries import revive_dead
from o2o.infra.subscriptions import Never, Registry
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


async def test_what_is_urgent_is_left_to_its_own_lane_and_waits_for_no_other(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    done: list[str] = []

    async def perform(payload: dict[str, Any]) -> None:
        done.append(payload["name"])

    registry = Registry()
    registry.perform("test.do", perform)
    registry.perform("test.do_at_once", perform, is_urgent=True)
    urgent, errands = registry.urgent_topics, registry.errand_topics
    assert urgent == {"test.do_at_once"}
    assert errands == {"test.do"}
    async with transaction(sessions) as tx:
        before = [Errand(topic="test.do", payload={"name": f"news {n}"}) for n in range(40)]
        call = Errand(topic="test.do_at_once", payload={"name": "call"})
        await send(tx, [*before, call], now=clock.now())

    of_urgent = Relay(sessions=sessions, registry=registry, clock=clock, only=urgent)
    assert await of_urgent.deliver_due() == 1
    assert done == ["call"]
    of_events = Relay(sessions=sessions, registry=registry, clock=clock, without=urgent | errands)
    assert await of_events.deliver_due() == 0
    of_errands = Relay(sessions=sessions, registry=registry, clock=clock, only=errands)
    while await of_errands.deliver_due():
        pass
    assert sorted(done) == sorted(["call", *(f"news {n}" for n in range(40))])


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
        Relay(sessions=sessions, registry=registry, clock=clock, only=only, without=without)
        for only, without in (
            (registry.errand_topics, None),
            (None, registry.errand_topics),
        )
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
