"""Whoever dies lets go of what it held at once; whoever lives keeps it."""

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.direct import direct_of
from o2o.infra.holder import Holder
from o2o.infra.outbox import Errand, send
from o2o.infra.relay import Relay
from o2o.infra.relay_queries import claim_due
from o2o.infra.subscriptions import Registry
from tests.fakes.clock import FakeClock


async def held(sessions: SessionFactory, clock: FakeClock, holder: Holder) -> None:
    """A message that this holder's relay has taken and not settled."""
    async with transaction(sessions) as tx:
        await send(tx, [Errand(topic="test.do", payload={})], now=clock.now())
    async with transaction(sessions) as tx:
        assert len(await claim_due(tx, limit=1, now=clock.now(), holder=holder.number)) == 1


async def test_what_a_dead_holder_held_is_delivered_at_the_next_beat(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    dying, living = direct_of(sessions), direct_of(sessions)
    dead, alive = Holder(dying), Holder(living)
    await dead.beat()
    await alive.beat()
    await held(sessions, clock, dead)
    relay = Relay(sessions=sessions, registry=Registry(), clock=clock, holder=alive)
    await alive.beat()
    assert await relay.deliver_due() == 0

    await dying.close()
    await alive.beat()
    assert await relay.deliver_due() == 1
    await living.close()


async def test_who_begins_frees_what_nobody_living_holds(
    sessions: SessionFactory, clock: FakeClock
) -> None:
    dying, living = direct_of(sessions), direct_of(sessions)
    dead, fresh = Holder(dying), Holder(living)
    await dead.beat()
    await held(sessions, clock, dead)
    await dying.close()

    await fresh.beat()
    relay = Relay(sessions=sessions, registry=Registry(), clock=clock, holder=fresh)
    assert await relay.deliver_due() == 1
    await living.close()


async def test_a_holder_that_lost_its_connection_holds_under_another_number(
    sessions: SessionFactory,
) -> None:
    direct = direct_of(sessions)
    holder = Holder(direct)
    await holder.beat()
    before = holder.number
    await direct.close()
    await holder.beat()
    assert None not in (before, holder.number)
    assert holder.number != before
    await direct.close()
