"""The inbox: each message once, its reply for whoever asks again, replays refused."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from o2o.crm.statuses import CallbackMode
from o2o.infra.database import SessionFactory, Tx
from o2o.infra.metrics import CALLBACKS
from o2o.wechat.chat.asks import Ask, Given
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import Stage
from tests.factories.wechat import Pusher, event_fields, text_fields
from tests.integration.wechat.conftest import count

every_mode = pytest.mark.parametrize(
    "mode", [CallbackMode.SAFE, CallbackMode.COMPATIBLE, CallbackMode.PLAIN]
)


class Counting:
    """Answers with a number that grows, so that a second effect would show."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, _: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        given: list[Given] = []
        for ask in asks:
            self.asked.append(ask.text)
            given.append(TextReply(f"{ask.text} {len(self.asked)}"))
        return given


@pytest.fixture
def counting(pusher: Pusher) -> Counting:
    counting = Counting()
    pusher.services.router.stage(Stage.KEYWORD, counting.answer)
    return counting


async def rows(sessions: SessionFactory, query: str) -> list[Any]:
    async with sessions() as session:
        return [tuple(row) for row in await session.execute(text(query))]


@every_mode
async def test_a_text_is_kept_and_answered(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    assert await pusher.ask(text_fields(pusher.account, content="排队 吗", msg_id=7)) == "排队 吗 1"
    [row] = await rows(
        sessions,
        "SELECT openid, kind, event, sent->>'Content', sent::jsonb ? 'Encrypt',"
        " answer->>'content', answered_via FROM inbound_messages",
    )
    assert row == ("oUser", "text", None, "排队 吗", False, "排队 吗 1", "passive")
    assert await rows(sessions, "SELECT openid, is_following FROM fans") == [("oUser", True)]


@every_mode
async def test_a_retry_gets_the_first_reply_and_has_no_second_effect(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    fields = text_fields(pusher.account, content="一", msg_id=7)
    replies = [await pusher.ask(fields) for _ in range(3)]
    assert replies == ["一 1", "一 1", "一 1"]
    assert counting.asked == ["一"]
    assert await count(sessions, "inbound_messages") == 1


async def test_a_retry_while_the_first_still_runs_waits_and_gets_the_same_reply(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    going_on, started, calls = asyncio.Event(), asyncio.Event(), 0

    async def slow(_: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        nonlocal calls
        calls += 1
        started.set()
        await going_on.wait()
        return [TextReply("done") for _ in asks]

    pusher.services.router.stage(Stage.KEYWORD, slow)
    fields = text_fields(pusher.account, msg_id=9)
    first = asyncio.create_task(pusher.ask(fields))
    await started.wait()
    second = asyncio.create_task(pusher.ask(fields))
    await asyncio.sleep(0.05)
    assert not second.done()
    going_on.set()
    assert list(await asyncio.gather(first, second)) == ["done", "done"]
    assert calls == 1
    assert await count(sessions, "inbound_messages") == 1


async def test_copies_in_one_batch_are_one_message(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    fields = text_fields(pusher.account, content="同", msg_id=3)
    replies = await asyncio.gather(*(pusher.ask(fields) for _ in range(20)))
    assert set(replies) == {"同 1"}
    assert await count(sessions, "inbound_messages") == 1


async def test_two_contents_in_one_batch_under_one_msgid_are_a_conflict(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    contents = ["甲", *["乙"] * 9]
    asked = [pusher.ask(text_fields(pusher.account, content=one, msg_id=3)) for one in contents]
    assert await asyncio.gather(*asked) == ["甲 1", *[None] * 9]
    assert counting.asked == ["甲"]
    assert await rows(sessions, "SELECT sent->>'Content' FROM inbound_messages") == [("甲",)]


async def test_a_retry_after_an_erasure_gets_the_first_reply(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    fields = text_fields(pusher.account, content="甲", msg_id=5) | {"PicUrl": "https://p.invalid/1"}
    assert await pusher.ask(fields) == "甲 1"
    async with sessions() as session, session.begin():
        await session.execute(
            text("UPDATE inbound_messages SET sent = (sent::jsonb - 'PicUrl')::json")
        )
    assert await pusher.ask(dict(reversed(fields.items()))) == "甲 1"
    assert await pusher.ask(fields | {"Content": "乙"}) is None
    assert await pusher.ask(fields | {"Extra": "1"}) is None
    assert counting.asked == ["甲"]


async def test_a_message_that_the_version_before_kept_is_answered_as_then(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    fields = text_fields(pusher.account, content="甲", msg_id=5)
    assert await pusher.ask(fields) == "甲 1"
    async with sessions() as session, session.begin():
        await session.execute(
            text(
                "UPDATE inbound_messages SET fields = sent, reply = answer, body_hash = '\\x00',"
                " sent = NULL, answer = NULL"
            )
        )
    assert await pusher.ask(fields) == "甲 1"
    assert await pusher.ask(fields | {"Content": "乙"}) is None
    assert counting.asked == ["甲"]


async def test_the_same_msgid_with_another_body_keeps_the_first(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    assert await pusher.ask(text_fields(pusher.account, content="甲", msg_id=5)) == "甲 1"
    assert await pusher.ask(text_fields(pusher.account, content="乙", msg_id=5)) is None
    assert counting.asked == ["甲"]
    assert await rows(sessions, "SELECT sent->>'Content' FROM inbound_messages") == [("甲",)]
    conflicts = CALLBACKS.labels(pusher.account.slug, "wechat.msgid_conflict")
    assert conflicts._value.get() == 1


@every_mode
async def test_timestamp_and_nonce_with_another_message_are_a_replay(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    assert (await pusher.push(text_fields(pusher.account), nonce="seen")).status == 200
    answered = await pusher.push(text_fields(pusher.account, content="伪造"), nonce="seen")
    assert (answered.status, answered.body) == (403, b"")
    assert counting.asked == ["你好"]
    assert await count(sessions, "inbound_messages") == 1


async def test_a_replay_in_the_same_batch_never_wins_over_the_first(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    for round_ in range(10):
        true, forged = (
            text_fields(pusher.account, openid="oUser", content=content) for content in ("真", "假")
        )
        answers = await asyncio.gather(
            pusher.push(true, nonce=f"n{round_}"), pusher.push(forged, nonce=f"n{round_}")
        )
        assert [answer.status for answer in answers] == [200, 403]
    assert counting.asked == ["真"] * 10


async def test_the_very_same_request_twice_is_no_replay(pusher: Pusher, counting: Counting) -> None:
    query, body = pusher.sealed(text_fields(pusher.account, content="一"))
    for _ in range(2):
        answered = await pusher.request("POST", query, body)
        assert pusher.text_of(answered) == "一 1"


async def test_two_events_of_one_person_in_one_second_both_count(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    follow = event_fields(pusher.account, "subscribe", EventKey="")
    click = event_fields(pusher.account, "CLICK", EventKey="menu")
    await asyncio.gather(pusher.push(follow), pusher.push(click), pusher.push(follow))
    assert await rows(sessions, "SELECT event FROM inbound_messages ORDER BY event") == [
        ("CLICK",),
        ("subscribe",),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"MsgType": "hologram", "Depth": "3"},
        {"MsgType": "event", "Event": "card_sky_remind", "CardId": "x"},
        {"MsgType": "event", "Event": ""},
    ],
)
async def test_unknown_kinds_are_kept_and_answered_success(
    pusher: Pusher, sessions: SessionFactory, fields: dict[str, str]
) -> None:
    head = {
        "ToUserName": pusher.account.original_id,
        "FromUserName": "oUser",
        "CreateTime": "1763611200",
    }
    answered = await pusher.push({**head, **fields})
    assert (answered.status, answered.body) == (200, b"success")
    [(kept, reply, via)] = await rows(
        sessions, "SELECT sent, answer, answered_via FROM inbound_messages"
    )
    assert kept == {**head, **fields}
    assert (reply, via) == (None, "nothing")


@pytest.mark.parametrize("created_at", ["0", "4102444800", "-5", "99999999999999999999", "x"])
async def test_an_absurd_create_time_is_accepted(
    pusher: Pusher, sessions: SessionFactory, created_at: str, counting: Counting
) -> None:
    fields = {**text_fields(pusher.account, content="时"), "CreateTime": created_at}
    assert await pusher.ask(fields) == "时 1"
    [(received,)] = await rows(sessions, "SELECT received_at::text FROM inbound_messages")
    assert received.startswith("2026-11-20")


async def test_emoji_and_bidirectional_text_are_kept_as_they_are(
    pusher: Pusher, sessions: SessionFactory, counting: Counting
) -> None:
    content = "😀" * 1000 + "\u202e\u200b<script>]]>&amp;"
    assert (await pusher.push(text_fields(pusher.account, content=content))).status == 200
    assert counting.asked == [content]
    assert await rows(sessions, "SELECT sent->>'Content' FROM inbound_messages") == [(content,)]


async def test_a_mass_result_makes_no_fan(pusher: Pusher, sessions: SessionFactory) -> None:
    fields = event_fields(
        pusher.account, "MASSSENDJOBFINISH", openid="mphelper", MsgID="1", Status="send success"
    )
    assert (await pusher.push(fields)).body == b"success"
    assert await count(sessions, "fans") == 0
    assert await count(sessions, "inbound_messages") == 1


async def test_a_deadlock_is_tried_again_and_no_reason_to_say_sorry(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    tries = 0

    async def unlucky(tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        nonlocal tries
        tries += 1
        if tries == 1:
            await tx.execute(
                text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
            )
        return [TextReply("成了") for _ in asks]

    pusher.services.router.stage(Stage.KEYWORD, unlucky)
    assert await pusher.ask(text_fields(pusher.account)) == "成了"
    assert tries == 2
    assert await count(sessions, "inbound_messages") == 1


async def test_an_answer_that_breaks_keeps_the_message_and_spares_its_neighbours(
    pusher: Pusher, sessions: SessionFactory
) -> None:
    async def moody(tx: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
        for ask in asks:
            if ask.text == "坏":
                await tx.execute(text("SELECT 1 / 0"))
        return [TextReply("好") for _ in asks]

    pusher.services.router.stage(Stage.KEYWORD, moody)
    texts = ["好", "坏", "好", "好"]
    replies = await asyncio.gather(
        *(
            pusher.ask(text_fields(pusher.account, openid=f"o{i}", content=content))
            for i, content in enumerate(texts)
        )
    )
    assert [replies[0], replies[2], replies[3]] == ["好", "好", "好"]
    assert replies[1] is not None
    assert "没有生效" in replies[1]
    assert await count(sessions, "inbound_messages") == 4
