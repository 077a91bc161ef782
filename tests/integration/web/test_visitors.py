"""Who is behind a cookie: asked together, told apart, and noted as in use without waiting."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import text

from o2o.crm.statuses import Audience, StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.web.sessions import end_session, open_session
from o2o.web.visitors import Visitors
from tests.factories.diners import DinerSession, given_diner
from tests.factories.members import Counter, given_counter
from tests.factories.staff import given_key, given_staff
from tests.fakes.clock import FakeClock

SEEN = text("SELECT last_seen_at FROM web_sessions WHERE token_hash = :token_hash")


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal)


@pytest.fixture
def visitors(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Visitors:
    return Visitors(sessions, seal=seal, clock=clock)


@pytest.fixture
async def diner(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> DinerSession:
    return await given_diner(sessions, counter, seal=seal, clock=clock)


async def seen_at(sessions: SessionFactory, seal: Seal, token: str) -> datetime:
    async with transaction(sessions) as tx:
        seen: datetime | None = await tx.scalar(
            SEEN, {"token_hash": seal.hash_of(token, use="session")}
        )
    assert seen is not None
    return seen


async def test_many_who_ask_at_once_are_each_told_who_they_are(
    sessions: SessionFactory, counter: Counter, visitors: Visitors, seal: Seal, clock: FakeClock
) -> None:
    diners = [
        await given_diner(
            sessions, counter, seal=seal, clock=clock, is_member=number % 2 == 0, is_snapshot=False
        )
        for number in range(6)
    ]
    asked = [*diners, *reversed(diners)]
    found = await asyncio.gather(
        *(visitors.find_diner(diner.token) for diner in asked), visitors.find_diner("nobody's")
    )
    assert [one and (one.openid, one.member_id) for one in found] == [
        *((diner.openid, diner.member_id) for diner in asked),
        None,
    ]
    first = found[0]
    assert first is not None
    assert (first.account_slug, first.account_name) == (counter.account.slug, counter.account.name)
    assert (first.brand.slug, first.brand.name) == (counter.brand.slug, counter.brand.name)


async def test_a_session_is_good_for_its_audience_until_it_ends(
    sessions: SessionFactory,
    counter: Counter,
    visitors: Visitors,
    diner: DinerSession,
    seal: Seal,
    clock: FakeClock,
) -> None:
    assert await visitors.find_console_staff(diner.token) is None
    assert await visitors.find_diner(diner.token) is not None
    # Seven days unused.
    clock.advance(days=6, hours=23)
    assert await visitors.find_diner(diner.token) is not None
    await visitors.settle()
    clock.advance(days=7)
    assert await visitors.find_diner(diner.token) is None
    other = await given_diner(sessions, counter, seal=seal, clock=clock)
    async with transaction(sessions) as tx:
        await end_session(tx, seal.hash_of(other.token, use="session"), now=clock.now())
    assert await visitors.find_diner(other.token) is None


async def test_somebody_disabled_is_nobody_at_the_console(
    sessions: SessionFactory, counter: Counter, visitors: Visitors, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        staff_id = await given_staff(tx, counter.brand, store_id=counter.store.id)
        token = await open_session(
            tx, seal=seal, audience=Audience.CONSOLE, staff_id=staff_id, now=clock.now()
        )
    found = await visitors.find_console_staff(token)
    assert found is not None
    assert (found.staff_id, found.brand.slug) == (staff_id, counter.brand.slug)
    assert found.roles == {StaffRoleName.CLERK: frozenset({counter.store.id})}
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE staff_members SET disabled_at = now() WHERE id = :id"), {"id": staff_id}
        )
    assert await visitors.find_console_staff(token) is None


async def test_a_revoked_key_opens_nothing(
    sessions: SessionFactory, visitors: Visitors, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        key = (await given_key(tx, seal=seal)).token
    found = await visitors.find_api_client(key)
    assert found is not None
    assert "debits:write" in found.scopes
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE api_keys SET revoked_at = now()"))
    assert await visitors.find_api_client(key) is None


async def test_use_is_noted_once_in_twenty_seconds(
    sessions: SessionFactory, visitors: Visitors, diner: DinerSession, seal: Seal, clock: FakeClock
) -> None:
    opened = clock.now()
    clock.advance(seconds=19)
    await visitors.find_diner(diner.token)
    await visitors.settle()
    assert await seen_at(sessions, seal, diner.token) == opened
    noted = clock.advance(seconds=1)
    await asyncio.gather(*(visitors.find_diner(diner.token) for _ in range(3)))
    await visitors.settle()
    assert await seen_at(sessions, seal, diner.token) == noted


async def test_nobody_waits_for_a_session_that_somebody_is_ending(
    sessions: SessionFactory,
    counter: Counter,
    visitors: Visitors,
    diner: DinerSession,
    seal: Seal,
    clock: FakeClock,
) -> None:
    other = await given_diner(sessions, counter, seal=seal, clock=clock)
    opened = clock.now()
    noted = clock.advance(minutes=1)
    async with transaction(sessions) as tx:
        await end_session(tx, seal.hash_of(diner.token, use="session"), now=clock.now())
        # It lives until that is committed; both are answered meanwhile, and the other is noted.
        found = await asyncio.wait_for(
            asyncio.gather(*(visitors.find_diner(one.token) for one in (diner, other))), 4
        )
        assert [one and one.openid for one in found] == [diner.openid, other.openid]
        await visitors.settle()
        assert await seen_at(sessions, seal, diner.token) == opened
        assert await seen_at(sessions, seal, other.token) == noted
    assert await visitors.find_diner(diner.token) is None
