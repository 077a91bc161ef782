"""The spool: what the database cannot take in time is on disk, and answered later, in order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import SessionFactory, Tx
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import Stage
from o2o.wechat.spool.frames import SpoolRecord, encode_frame
from tests.factories.wechat import Pusher, event_fields, text_fields
from tests.integration.wechat.conftest import count


class Plug:
    """Pulls the database out and puts it back, for the services under test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def pull(self) -> None:
        def refuse(*_: Any, **__: Any) -> Any:
            raise ConnectionRefusedError

        self._monkeypatch.setattr("sqlalchemy.ext.asyncio.async_sessionmaker.begin", refuse)
        self._monkeypatch.setattr("o2o.infra.direct.Direct.fetch", refuse)

    def put_back(self) -> None:
        self._monkeypatch.undo()


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    return Plug(monkeypatch)


@pytest.fixture
def said(pusher: Pusher) -> list[str]:
    """What was understood, in order."""
    heard: list[str] = []

    async def echo(_: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        heard.extend(f"{ask.openid} {ask.text}" for ask in asks)
        return [TextReply(f"re {ask.text}") for ask in asks]

    pusher.services.router.stage(Stage.KEYWORD, echo)
    return heard


async def deliveries(sessions: SessionFactory) -> list[tuple[str, str]]:
    async with sessions() as session:
        rows = await session.execute(
            text(
                "SELECT d.openid, d.content->'text'->>'content' FROM deliveries d"
                " JOIN outbox_messages o ON o.payload->>'delivery_id' = d.id::text"
                " WHERE d.channel = 'custom' AND o.topic = 'wechat.send_custom' ORDER BY o.id"
            )
        )
        return [(row[0], row[1]) for row in rows]


def spool_files(folder: Path) -> list[str]:
    return sorted(file.suffix for file in (folder / "spool").glob("[!.]*"))


async def drained(pusher: Pusher, folder: Path) -> int:
    """Drain until the folder is empty; files are given up by their writer after half a second."""
    taken = 0
    for _ in range(100):
        taken += await pusher.services.drain.drain()
        if not spool_files(folder):
            return taken
        await asyncio.sleep(0.05)
    raise AssertionError(spool_files(folder))


async def test_without_a_database_messages_are_spooled_and_answered_once_it_is_back(
    pusher: Pusher, sessions: SessionFactory, plug: Plug, said: list[str], tmp_path: Path
) -> None:
    plug.pull()
    for number in range(30):
        fields = text_fields(pusher.account, openid=f"o{number % 3}", content=str(number))
        answered = await pusher.push(fields)
        assert (answered.status, answered.body) == (200, b"success")
    assert said == []
    assert spool_files(tmp_path) == [".spool"]
    plug.put_back()

    assert await drained(pusher, tmp_path) == 30
    for person in ("o0", "o1", "o2"):
        mine = [int(one.split()[1]) for one in said if one.startswith(f"{person} ")]
        assert mine == sorted(mine)
        assert len(mine) == 10
    assert await count(sessions, "inbound_messages", "answered_via = 'custom'") == 30
    assert sorted(await deliveries(sessions)) == sorted(
        (f"o{number % 3}", f"re {number}") for number in range(30)
    )
    assert await pusher.services.drain.drain() == 0


async def test_a_drain_cut_short_repeats_nothing(
    pusher: Pusher, sessions: SessionFactory, plug: Plug, said: list[str], tmp_path: Path
) -> None:
    plug.pull()
    for number in range(5):
        await pusher.push(text_fields(pusher.account, content=str(number)))
    plug.put_back()
    await asyncio.sleep(0.6)
    [file] = (tmp_path / "spool").glob("*.spool")
    content = file.read_bytes()
    assert await pusher.services.drain.drain() == 5
    file.write_bytes(content)  # The worker died after the commit, before the file went.
    assert await drained(pusher, tmp_path) == 5
    assert len(said) == 5
    assert len(await deliveries(sessions)) == 5
    assert await count(sessions, "inbound_messages") == 5


async def test_an_answer_that_comes_too_late_is_sent_later_and_once(
    pusher: Pusher,
    sessions: SessionFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("o2o.wechat.callback.BUDGET_SECONDS", 0.3)
    going_on = asyncio.Event()
    effects: list[str] = []

    async def slow(_: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        await going_on.wait()
        effects.extend(ask.text for ask in asks)
        return [TextReply("slow but sure") for _ in asks]

    pusher.services.router.stage(Stage.KEYWORD, slow)
    fields = text_fields(pusher.account, content="慢")
    for _ in range(3):  # WeChat's own three tries.
        assert await pusher.ask(fields) is None
    going_on.set()
    assert await drained(pusher, tmp_path) == 3
    assert effects == ["慢"]
    assert await deliveries(sessions) == [("oUser", "slow but sure")]
    assert await count(sessions, "inbound_messages", "answered_via = 'custom'") == 1


async def test_later_messages_of_a_person_queue_behind_the_spooled_ones(
    pusher: Pusher, plug: Plug, said: list[str], tmp_path: Path, sessions: SessionFactory
) -> None:
    plug.pull()
    assert await pusher.ask(text_fields(pusher.account, openid="oA", content="1")) is None
    plug.put_back()
    await asyncio.sleep(1.1)  # The lane may be tried again.
    assert await pusher.ask(text_fields(pusher.account, openid="oA", content="2")) is None
    assert await pusher.ask(text_fields(pusher.account, openid="oB", content="x")) == "re x"
    assert await drained(pusher, tmp_path) == 2
    assert [one for one in said if one.startswith("oA")] == ["oA 1", "oA 2"]
    assert await pusher.ask(text_fields(pusher.account, openid="oA", content="3")) == "re 3"
    assert await deliveries(sessions) == [("oA", "re 1"), ("oA", "re 2")]


async def test_files_left_by_a_process_that_died_are_taken_up_to_the_torn_frame(
    pusher: Pusher, said: list[str], tmp_path: Path, sessions: SessionFactory
) -> None:
    def record(number: int) -> SpoolRecord:
        return SpoolRecord(
            account=pusher.account.slug,
            openid="oX",
            fields=text_fields(pusher.account, openid="oX", content=str(number), msg_id=number),
            timestamp="1763611200",
            nonce=f"n{number}",
            received_ns=1_763_611_200_000_000_000 + number,
        )

    folder = tmp_path / "spool"
    folder.mkdir()
    whole = [encode_frame(record(number)) for number in (2, 1)]
    torn = encode_frame(record(3))[:-5]
    (folder / "00-1-aa.spool").write_bytes(b"".join([*whole, torn]))
    # Its person has to wait, although this process never spooled anything itself.
    assert await pusher.ask(text_fields(pusher.account, openid="oX", content="4")) is None

    assert await drained_but_torn(pusher, folder) == 3
    assert said == ["oX 1", "oX 2", "oX 4"]
    assert (folder / "00-1-aa.torn").read_bytes() == torn
    assert await count(sessions, "inbound_messages") == 3


async def drained_but_torn(pusher: Pusher, folder: Path) -> int:
    taken = 0
    for _ in range(100):
        taken += await pusher.services.drain.drain()
        if ".spool" not in spool_files(folder.parent):
            return taken
        await asyncio.sleep(0.05)
    raise AssertionError


async def test_a_message_nobody_can_answer_is_kept_without_holding_up_others(
    pusher: Pusher, plug: Plug, sessions: SessionFactory, tmp_path: Path
) -> None:
    async def broken(_: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        if any(ask.text == "坏" for ask in asks):
            raise ZeroDivisionError
        return [TextReply("好") for _ in asks]

    pusher.services.router.stage(Stage.KEYWORD, broken)
    plug.pull()
    for openid, content in (("oA", "坏"), ("oB", "好")):
        await pusher.push(text_fields(pusher.account, openid=openid, content=content))
    await pusher.push(event_fields(pusher.account, "subscribe", openid="oC", EventKey=""))
    plug.put_back()
    assert await drained(pusher, tmp_path) == 3
    sent = dict(await deliveries(sessions))
    assert sent["oB"] == "好"
    assert "没有生效" in sent["oA"]
    assert "欢迎" in sent["oC"]
    assert await count(sessions, "inbound_messages") == 3


async def test_a_database_that_cannot_serve_now_sets_nothing_aside(
    pusher: Pusher, plug: Plug, said: list[str], sessions: SessionFactory, tmp_path: Path
) -> None:
    plug.pull()
    await pusher.push(text_fields(pusher.account, content="等"))
    plug.put_back()
    await asyncio.sleep(0.6)
    tries = 0

    async def locked(tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        nonlocal tries
        tries += 1
        if tries == 1:
            await tx.execute(
                text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '55P03'; END $$")
            )
        return [None for _ in asks]

    pusher.services.router._stages[Stage.KEYWORD].insert(0, locked)
    pusher.services.router.stage(Stage.MENU_NUMBER, locked)
    with pytest.raises(DBAPIError):
        await pusher.services.drain.drain()
    assert spool_files(tmp_path) == [".spool"]
    assert await count(sessions, "inbound_messages") == 0
    assert await drained(pusher, tmp_path) == 1
    assert said == ["oUser 等"]


async def test_a_disk_that_refuses_leaves_the_message_to_wechat(
    pusher: Pusher, plug: Plug, tmp_path: Path, sessions: SessionFactory
) -> None:
    (tmp_path / "spool").write_text("not a folder")
    plug.pull()
    answered = await pusher.push(text_fields(pusher.account))
    assert (answered.status, answered.body) == (503, b"")
    plug.put_back()
    assert await count(sessions, "inbound_messages") == 0


async def test_a_replay_in_the_spool_is_dropped_when_it_is_drained(
    pusher: Pusher, plug: Plug, said: list[str], tmp_path: Path, sessions: SessionFactory
) -> None:
    plug.pull()
    await pusher.push(text_fields(pusher.account, content="真"), nonce="same")
    await pusher.push(text_fields(pusher.account, content="假"), nonce="same")
    plug.put_back()
    assert await drained(pusher, tmp_path) == 2
    assert await count(sessions, "inbound_messages") == 1
    assert said == ["oUser 真"]
