"""Two workers behind one address: a retry may reach the other one, which saw nothing of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx
from o2o.infra.seal import Seal
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import Stage
from tests.factories.wechat import Pusher, running_services, text_fields
from tests.fakes.clock import FakeClock
from tests.integration.wechat.conftest import count


class Noting:
    """Answers with its worker's name, and takes a note in the database of whom it answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.takes_notes = True

    async def answer(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        if self.takes_notes:
            for ask in asks:
                await tx.execute(
                    text("UPDATE fans SET scene = coalesce(scene, '') || :said WHERE id = :id"),
                    {"said": ask.text, "id": ask.fan_id},
                )
        return [TextReply(f"{self.name} {ask.text}") for ask in asks]


@pytest.fixture
async def other(
    slug: str, sessions: SessionFactory, seal: Seal, clock: FakeClock, tmp_path: Path
) -> AsyncGenerator[Pusher, None]:
    async with running_services(
        sessions=sessions, seal=seal, clock=clock, data_dir=tmp_path / "other"
    ) as services:
        yield Pusher(services, await services.accounts.get(slug), clock)


@pytest.fixture
def noting(pusher: Pusher, other: Pusher) -> list[Noting]:
    both = [Noting("one"), Noting("two")]
    for worker, one in zip((pusher, other), both, strict=True):
        worker.services.router.stage(Stage.KEYWORD, one.answer)
    return both


async def noted(sessions: SessionFactory) -> dict[str, str | None]:
    async with sessions() as session:
        rows = await session.execute(text("SELECT openid, scene FROM fans"))
        return {row.openid: row.scene for row in rows}


@pytest.mark.parametrize("takes_notes", [True, False])
async def test_a_retry_at_the_other_worker_gets_the_first_reply_and_has_no_second_effect(
    pusher: Pusher,
    other: Pusher,
    noting: list[Noting],
    sessions: SessionFactory,
    takes_notes: bool,
) -> None:
    for one in noting:
        one.takes_notes = takes_notes
    again = text_fields(pusher.account, openid="oA", content="余", msg_id=1)
    assert await pusher.ask(again) == "one 余"
    fresh = [
        text_fields(pusher.account, openid=f"oB{n}", content="新", msg_id=10 + n) for n in range(5)
    ]
    answers = await asyncio.gather(*(other.ask(fields) for fields in (*fresh, again)))
    assert answers == ["two 新"] * 5 + ["one 余"]
    said = {"oA": "余"} | {f"oB{n}": "新" for n in range(5)}
    assert await noted(sessions) == (said if takes_notes else dict.fromkeys(said))
    assert await count(sessions, "inbound_messages") == 6


async def test_a_nonce_seen_by_one_worker_is_a_replay_at_the_other(
    pusher: Pusher, other: Pusher, noting: list[Noting], sessions: SessionFactory
) -> None:
    true = text_fields(pusher.account, openid="oA", content="真", msg_id=1)
    forged = text_fields(pusher.account, openid="oA", content="假", msg_id=2)
    assert (await pusher.push(true, nonce="seen")).status == 200
    answered = await other.push(forged, nonce="seen")
    assert (answered.status, answered.body) == (403, b"")
    assert await noted(sessions) == {"oA": "真"}
    assert await count(sessions, "inbound_messages") == 1


async def test_workers_that_get_the_same_messages_at_once_act_on_each_once(
    pusher: Pusher, other: Pusher, noting: list[Noting], sessions: SessionFactory
) -> None:
    for round_ in range(20):
        messages = [
            text_fields(pusher.account, openid=f"o{n}", content="次", msg_id=100 * round_ + n + 1)
            for n in range(10)
        ]
        answers = await asyncio.gather(
            *(worker.ask(fields) for fields in messages for worker in (pusher, other))
        )
        assert [a == b for a, b in zip(answers[::2], answers[1::2], strict=True)] == [True] * 10
    assert await noted(sessions) == {f"o{n}": "次" * 20 for n in range(10)}
    assert await count(sessions, "inbound_messages") == 200
