"""The inbox under attack: many connections, the same messages, one effect each."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import Stage
from tests.factories.organisation import given_account, given_brand
from tests.factories.wechat import Pusher, event_fields, running_services, text_fields
from tests.fakes.clock import FakeClock

PROCESSES = 3
ROUNDS = 8
MESSAGES = 25


async def count_in_database(tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
    """An effect that a second run would show: a row per message, numbered by the database."""
    given: list[Given] = []
    for ask in asks:
        number = await tx.scalar(
            text("INSERT INTO effects (said) VALUES (:said) RETURNING id"), {"said": ask.text}
        )
        given.append(TextReply(f"{ask.text} is {number}"))
    return given


@pytest.fixture
async def pushers(
    sessions: SessionFactory, seal: Seal, clock: FakeClock, tmp_path: Path
) -> AsyncGenerator[list[Pusher], None]:
    """Several processes' services over one database."""
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        slug = account.slug
        await tx.execute(text("CREATE TABLE effects (id serial PRIMARY KEY, said text)"))
    async with AsyncExitStack() as stack:
        pushers = []
        for number in range(PROCESSES):
            services = await stack.enter_async_context(
                running_services(
                    sessions=sessions, seal=seal, clock=clock, data_dir=tmp_path / str(number)
                )
            )
            services.router.stage(Stage.KEYWORD, count_in_database)
            pushers.append(Pusher(services, await services.accounts.get(slug), clock))
        yield pushers
    async with transaction(sessions) as tx:
        await tx.execute(text("DROP TABLE effects"))


async def test_deliveries_of_one_message_to_all_processes_at_once_take_effect_once(
    pushers: list[Pusher], sessions: SessionFactory
) -> None:
    random.seed(7)
    for round_ in range(ROUNDS):
        messages = [
            text_fields(
                pushers[0].account,
                openid=f"o{number % 7}",
                content=f"{round_}-{number}",
                msg_id=round_ * 1000 + number + 1,
            )
            for number in range(MESSAGES)
        ]
        copies = [(pusher, fields) for fields in messages for pusher in pushers]
        random.shuffle(copies)
        replies = await asyncio.gather(*(pusher.ask(fields) for pusher, fields in copies))
        by_text: dict[str, set[str | None]] = {}
        for (_, fields), reply in zip(copies, replies, strict=True):
            by_text.setdefault(fields["Content"], set()).add(reply)
        assert all(len(replies) == 1 for replies in by_text.values())
        assert None not in set.union(*by_text.values())
    async with sessions() as session:
        effects = (await session.scalars(text("SELECT said FROM effects"))).all()
        kept = await session.scalar(text("SELECT count(*) FROM inbound_messages"))
        fans = await session.scalar(text("SELECT count(*) FROM fans"))
    assert len(effects) == len(set(effects)) == kept == ROUNDS * MESSAGES
    assert fans == 7


async def test_a_follow_seen_by_all_processes_is_published_once(
    pushers: list[Pusher], sessions: SessionFactory
) -> None:
    account = pushers[0].account
    people = [f"oNew{number}" for number in range(20)]
    await asyncio.gather(
        *(
            pusher.push(event_fields(account, "subscribe", openid=openid, EventKey=""))
            for openid in people
            for pusher in pushers
        )
    )
    async with sessions() as session:
        published = await session.scalar(
            text("SELECT count(*) FROM outbox_messages WHERE topic = 'fan.followed'")
        )
        fans = await session.scalar(text("SELECT count(*) FROM fans WHERE is_following"))
    assert (published, fans) == (20, 20)
