"""The lane: batches side by side, each person's messages in their order, nobody left behind."""

import asyncio
from collections.abc import Sequence
from random import Random

from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.lane import SECOND_FROM
from o2o.wechat.router import Stage
from tests.factories.wechat import Pusher, text_fields
from tests.integration.wechat.conftest import count


class Listener:
    """Appends to what a fan said, in the database, as slowly as asked; notes who runs beside."""

    def __init__(self) -> None:
        self.running = 0
        self.beside = 0
        self.begun = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()

    async def answer(self, tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        self.running += 1
        self.beside = max(self.beside, self.running)
        self.begun.release()
        try:
            for ask in asks:
                await tx.execute(
                    text("UPDATE fans SET scene = coalesce(scene, '') || :said WHERE id = :id"),
                    {"said": f"{ask.text},", "id": ask.fan_id},
                )
            await self.gate.wait()
        finally:
            self.running -= 1
        return [TextReply(ask.text) for ask in asks]


async def test_every_persons_messages_keep_their_order_however_batches_overlap(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    said = Listener()
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


async def test_a_large_second_batch_goes_beside_a_slow_first_and_a_small_one_waits(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    said = Listener()
    said.gate.clear()
    pusher.services.router.stage(Stage.KEYWORD, said.answer)
    first = asyncio.create_task(pusher.ask(text_fields(pusher.account, openid="oA", msg_id=1)))
    await said.begun.acquire()
    again = asyncio.create_task(
        pusher.ask(text_fields(pusher.account, openid="oA", content="再", msg_id=2))
    )
    small = asyncio.create_task(pusher.ask(text_fields(pusher.account, openid="oB", msg_id=3)))
    await asyncio.sleep(0.05)
    assert said.beside == 1
    many = [
        asyncio.create_task(pusher.ask(text_fields(pusher.account, openid=f"oC{n}", msg_id=10 + n)))
        for n in range(SECOND_FROM)
    ]
    await said.begun.acquire()
    await asyncio.sleep(0.05)
    assert said.beside == 2
    # Whose first message is still under way waits for it, in whatever batch.
    async with sessions() as session:
        assert await session.scalar(text("SELECT scene FROM fans WHERE openid = 'oA'")) is None
    said.gate.set()
    assert list(await asyncio.gather(first, again, small)) == ["你好", "再", "你好"]
    assert await asyncio.gather(*many) == ["你好"] * SECOND_FROM
    async with sessions() as session:
        assert await session.scalar(text("SELECT scene FROM fans WHERE openid = 'oA'")) == (
            "你好,再,"
        )
