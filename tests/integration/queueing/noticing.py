"""A store whose parties are told: the jobs of notices, a relay, and what they queued."""

from typing import Any

import msgspec
from sqlalchemy import text

from o2o.crm.members import Fan
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.relay import Relay
from o2o.infra.seal import Seal
from o2o.infra.subscriptions import Registry
from o2o.queueing import jobs_notices
from o2o.queueing.actions.tell_parties import Voice
from o2o.web.copy import Words
from o2o.wechat.delivery_book import Check
from tests.factories.members import given_fan
from tests.factories.queues import Hall, given_hall
from tests.fakes.clock import FakeClock

URL = "http://127.0.0.1"
# Whatever is not about notices is somebody else's here.
OTHER_TOPICS = ("wechat.send_template", "wechat.send_template_at_once", "live.push")


class FakeMessenger:
    """Takes note of who asks before sending."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    def ask_before(self, name: str, check: Check) -> None:
        self.checks[name] = check


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A hall whose changes are told."""

    hall: Hall
    sessions: SessionFactory
    relay: Relay
    clock: FakeClock
    messenger: FakeMessenger

    async def fan(self, *, is_following: bool = True, **fields: Any) -> Fan:
        """Somebody who holds a phone."""
        async with transaction(self.sessions) as tx:
            return await given_fan(tx, self.hall.account, is_following=is_following, **fields)

    async def deliver(self) -> None:
        """Let the relay do what is due, but send nothing."""
        while await self.relay.deliver_due():
            pass

    async def told(self) -> list[tuple[str, str]]:
        """Who was told what: purpose and number, in the order of telling."""
        rows = await self.rows(
            "SELECT purpose, content->'data'->>'character_string2' AS number FROM deliveries"
            " ORDER BY created_at, content->'data'->>'character_string2', purpose"
        )
        return [(row.purpose, row.number) for row in rows]

    async def rows(self, query: str) -> list[Any]:
        async with self.sessions() as tx:
            return list(await tx.execute(text(query)))


async def given_scene(
    sessions: SessionFactory, *, seal: Seal, clock: FakeClock, **settings: Any
) -> Scene:
    """A committed hall with its jobs; events of its making are dropped."""
    hall = await given_hall(sessions, seal=seal, **settings)
    messenger = FakeMessenger()
    registry = Registry()
    jobs_notices.register(
        registry,
        messenger=messenger,  # type: ignore[arg-type]  # a stand-in for its one method
        clock=clock,
        voice=Voice(Words(), URL),
    )

    async def leave(_: dict[str, Any]) -> None:
        """What is sent is for the messenger's own tests."""

    for topic in OTHER_TOPICS:
        registry.perform(topic, leave)
    return Scene(
        hall=hall,
        sessions=sessions,
        relay=Relay(sessions=sessions, registry=registry, clock=clock),
        clock=clock,
        messenger=messenger,
    )
