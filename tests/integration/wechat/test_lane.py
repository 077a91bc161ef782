"""The lane: one batch after another, beside a slow one the next, each person in their order."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from random import Random

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx
from o2o.kernel.errors import Fact
from o2o.wechat import lane
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.inbox import Kept, Received
from o2o.wechat.router import Stage
from tests.factories.wechat import Pusher, text_fields
from tests.integration.wechat.conftest import count


class Listener:
    """Appends to what a fan said, in the database, as slowly as asked; notes the batches."""

    def __init__(self, gate: asyncio.Event, slow_to: str | None = None) -> None:
        self.slow_to = slow_to
        self.batches: list[list[str]] = []
        self.begun = asyncio.Semaphore(0)
        self.gate = gate

    async def answer(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        self.batches.append([ask.text for ask in asks])
        self.begun.release()
        for ask in asks:
            await tx.execute(
                text("UPDATE fans SET scene = coalesce(scene, '') || :said WHERE id = :id"),
                {"said": f"{ask.text},", "id": ask.fan_id},
            )
        if self.slow_to in {None, *(ask.openid for ask in asks)}:
            await self.gate.wait()
        return [TextReply(ask.text) for ask in asks]


@pytest.fixture
async def gate(pusher: Pusher) -> AsyncGenerator[asyncio.Event, None]:
    """Open in the end whatever happened: the pusher's services wait for their last batch."""
    gate = asyncio.Event()
    yield gate
    gate.set()


async def test_every_persons_messages_keep_their_order_however_batches_overlap(
    pusher: Pusher, sessions: SessionFactory, gate: asyncio.Event
) -> None:
    gate.set()
    said = Listener(gate)
    pusher.services.router.stage(Stage.KEYWORD, said.answer)
    people = [f"o{n}" for n in range(12)]
    turns = [(person, number) for number in range(15) for person in people]
    Random(7).shuffle(turns)
    following: dict[str, int] = {}
    asked: list[asyncio.Task[str | None]] = []
    for person, _ in turns:
        number = following[person] = following.get(person, -1) + 1
        fields = text_fields(
            pusher.account, openid=person, content=str(number), msg_id=1000 * len(asked) + 1
        )
        asked.append(asyncio.create_task(pusher.ask(fields)))
        if len(asked) % 40 == 0:
            await asyncio.sleep(0.002)
    answers = await asyncio.gather(*asked)
    assert None not in answers
    async with sessions() as session:
        rows = await session.execute(text("SELECT openid, scene FROM fans"))
        heard = {row.openid: row.scene for row in rows}
    assert heard == {person: "".join(f"{n}," for n in range(15)) for person in people}
    assert await count(sessions, "inbound_messages") == 180


async def given_stuck_batch(
    pusher: Pusher, gate: asyncio.Event, slow_to: str | None = None
) -> tuple[Listener, asyncio.Task[str | None]]:
    """A batch with one message of oA that waits for the gate, as others do if they are slow too."""
    said = Listener(gate, slow_to)
    pusher.services.router.stage(Stage.KEYWORD, said.answer)
    first = asyncio.create_task(pusher.ask(text_fields(pusher.account, openid="oA", msg_id=1)))
    await said.begun.acquire()
    return said, first


async def test_nobody_waits_for_a_batch_that_is_stuck_but_whoever_is_in_it(
    pusher: Pusher,
    sessions: SessionFactory,
    gate: asyncio.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane, "SLOW_SECONDS", 60.0)
    said, first = await given_stuck_batch(pusher, gate, slow_to="oA")
    early = asyncio.create_task(pusher.ask(text_fields(pusher.account, openid="oB", msg_id=2)))
    await asyncio.sleep(0.05)
    assert said.batches == [["你好"]]
    # As its alarm would after a while.
    own = pusher.services._intake._lane
    [stuck] = own._flushers
    own._note_slow(stuck)
    again = asyncio.create_task(
        pusher.ask(text_fields(pusher.account, openid="oA", content="再", msg_id=3))
    )
    others = [
        asyncio.create_task(pusher.ask(text_fields(pusher.account, openid=f"oC{n}", msg_id=9 + n)))
        for n in range(100)
    ]
    assert await asyncio.gather(early, *others) == ["你好"] * 101
    # Whose first message is still under way waits for it.
    async with sessions() as session:
        assert await session.scalar(text("SELECT scene FROM fans WHERE openid = 'oA'")) is None
    said.gate.set()
    assert list(await asyncio.gather(first, again)) == ["你好", "再"]
    async with sessions() as session:
        assert await session.scalar(text("SELECT scene FROM fans WHERE openid = 'oA'")) == (
            "你好,再,"
        )


async def test_whoever_waits_for_a_stuck_batch_is_remembered_though_nobody_else_comes(
    pusher: Pusher, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "SLOW_SECONDS", 0.5)
    said, first = await given_stuck_batch(pusher, gate, slow_to="oA")
    alone = pusher.ask(text_fields(pusher.account, openid="oB", msg_id=2))
    assert await alone == "你好"
    assert not first.done()
    said.gate.set()
    assert await first == "你好"


def counted_in(monkeypatch: pytest.MonkeyPatch) -> asyncio.Semaphore:
    """Let in as many as are put into the queue from now on."""
    queued = asyncio.Semaphore(0)
    enqueue = lane.Lane.enqueue

    def enqueue_and_tell(
        own: lane.Lane, received: Received, *, deadline: float
    ) -> asyncio.Future[Kept]:
        queued.release()
        return enqueue(own, received, deadline=deadline)

    monkeypatch.setattr(lane.Lane, "enqueue", enqueue_and_tell)
    return queued


async def test_a_batch_takes_half_of_those_who_wait(
    pusher: Pusher, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "SLOW_SECONDS", 60.0)
    said, first = await given_stuck_batch(pusher, gate)
    queued = counted_in(monkeypatch)
    others = [
        asyncio.create_task(pusher.ask(text_fields(pusher.account, openid=f"oB{n}", msg_id=9 + n)))
        for n in range(100)
    ]
    for _ in others:
        await queued.acquire()
    said.gate.set()
    assert await asyncio.gather(first, *others) == ["你好"] * 101
    assert [len(batch) for batch in said.batches] == [1, 50, 32, 18]


async def test_answers_go_out_before_the_next_batch_begins(
    pusher: Pusher, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "SLOW_SECONDS", 60.0)
    own = pusher.services._intake._lane
    action = own._action
    begun: list[int] = []

    async def noting_action(tx: Tx, commands: Sequence[Received]) -> Sequence[Kept | Fact]:
        begun.append(len(commands))
        return await action(tx, commands)

    monkeypatch.setattr(own, "_action", noting_action)

    async def begun_when_answered(openid: str, msg_id: int) -> list[int]:
        await pusher.ask(text_fields(pusher.account, openid=openid, msg_id=msg_id))
        return list(begun)

    said = Listener(gate)
    pusher.services.router.stage(Stage.KEYWORD, said.answer)
    first = asyncio.create_task(begun_when_answered("oA", 1))
    await said.begun.acquire()
    queued = counted_in(monkeypatch)
    second = asyncio.create_task(begun_when_answered("oB", 2))
    await queued.acquire()
    said.gate.set()
    assert (await first, await second) == ([1], [1, 1])
