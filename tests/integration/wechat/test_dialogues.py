"""Understanding: the order of stages, commands in every spelling, dialogues that are kept."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from o2o.infra.database import SessionFactory, Tx
from o2o.wechat.chat.asks import (
    END_DIALOGUE,
    Answer,
    Ask,
    Given,
    KeepDialogue,
    one_at_a_time,
)
from o2o.wechat.chat.dialogues import DialogueDefinition
from o2o.wechat.codec.messages import ClickEvent, ImageMessage
from o2o.wechat.codec.replies import NO_REPLY, TextReply
from o2o.wechat.router import Stage
from tests.factories.wechat import Pusher, event_fields, text_fields
from tests.fakes.clock import FakeClock
from tests.integration.wechat.conftest import count


class PartyState(msgspec.Struct):
    size: int = 0


@one_at_a_time
async def booking(_: Tx, ask: Ask) -> Given:
    """Asks for a size, then for a yes; anything else is not for it."""
    assert ask.dialogue is not None
    if ask.dialogue.step == "size" and ask.text.isdigit():
        state = PartyState(size=int(ask.text))
        return Answer(
            TextReply("确认吗"), KeepDialogue(name="booking", step="confirm", state=state)
        )
    if ask.dialogue.step == "confirm" and ask.text == "是":
        size = ask.dialogue.state_as(PartyState).size
        return Answer(TextReply(f"{size}位，好"), END_DIALOGUE)
    return None


@one_at_a_time
async def begin(_: Tx, ask: Ask) -> Given:
    if ask.text != "预约":
        return None
    lasting = timedelta(minutes=5)
    return Answer(TextReply("几位"), KeepDialogue(name="booking", step="size", lasting=lasting))


@one_at_a_time
async def menu_number(_: Tx, ask: Ask) -> Given:
    return TextReply(f"menu {ask.text}") if ask.text.isdigit() else None


@pytest.fixture
def booked(pusher: Pusher) -> Pusher:
    router = pusher.services.router
    router.dialogue(DialogueDefinition(name="booking", answer=booking))
    router.stage(Stage.KEYWORD, begin)
    router.stage(Stage.MENU_NUMBER, menu_number)
    return pusher


async def say(pusher: Pusher, content: str) -> str | None:
    return await pusher.ask(text_fields(pusher.account, content=content))


async def test_a_dialogue_goes_from_step_to_step_and_ends(
    booked: Pusher, sessions: SessionFactory
) -> None:
    assert await say(booked, "4") == "menu 4"
    assert await say(booked, "预约") == "几位"
    assert await say(booked, "4") == "确认吗"
    assert await say(booked, "是") == "4位，好"
    assert await count(sessions, "dialogues") == 0
    assert await say(booked, "4") == "menu 4"


async def test_what_a_dialogue_does_not_expect_is_understood_without_it(
    booked: Pusher, sessions: SessionFactory
) -> None:
    await say(booked, "预约")
    reply = await say(booked, "你们几点关门")
    assert reply is not None
    assert reply.startswith("您好，这里是江南小灶")
    assert await say(booked, "6") == "确认吗"


@pytest.mark.parametrize("word", ["退出", " 退 出。", "ＱＵＩＴ", "exit!", "離開"])
async def test_leaving_ends_the_dialogue_before_its_answer_is_asked(
    booked: Pusher, sessions: SessionFactory, word: str
) -> None:
    await say(booked, "预约")
    reply = await say(booked, word)
    assert reply is not None
    assert "退出" in reply or "stopped" in reply
    assert await count(sessions, "dialogues") == 0


async def test_leaving_without_a_dialogue_is_an_ordinary_text(booked: Pusher) -> None:
    reply = await say(booked, "退出")
    assert reply is not None
    assert reply.startswith("您好，这里是江南小灶")


async def test_an_expired_dialogue_is_over(booked: Pusher, clock: FakeClock) -> None:
    await say(booked, "预约")
    clock.advance(minutes=5, seconds=1)
    assert await say(booked, "4") == "menu 4"


async def test_two_messages_of_one_person_in_one_batch_follow_each_other(
    booked: Pusher, sessions: SessionFactory
) -> None:
    import asyncio  # noqa: PLC0415

    texts = ["预约", "3", "是", "9"]
    replies = await asyncio.gather(*(say(booked, content) for content in texts))
    assert replies == ["几位", "确认吗", "3位，好", "menu 9"]


async def test_spoken_text_counts_as_text(booked: Pusher) -> None:
    voice = {
        **text_fields(booked.account),
        "MsgType": "voice",
        "MediaId": "m",
        "Format": "amr",
        "Recognition": "预约",
    }
    del voice["Content"]
    assert await booked.ask(voice) == "几位"
    silent = {**voice, "MsgId": "77", "Recognition": ""}
    reply = await booked.ask(silent)
    assert reply is not None
    assert reply.startswith("您好，这里是江南小灶")


async def test_the_most_particular_registration_answers_first(booked: Pusher) -> None:
    router = booked.services.router

    def saying(words: str | None) -> object:
        async def answer(_: Tx, asks: Sequence[Ask]) -> Sequence[Given]:
            return [TextReply(words) if words else None for _ in asks]

        return answer

    router.on(ClickEvent, saying("any"))  # type: ignore[arg-type]  # one closure for four shapes
    router.on(ClickEvent, saying("key"), key="K")  # type: ignore[arg-type]
    router.on(ClickEvent, saying(None), key="K", account_slug=booked.account.slug)  # type: ignore[arg-type]
    router.on(ClickEvent, saying("foreign"), key="K", account_slug="other")  # type: ignore[arg-type]
    click = event_fields(booked.account, "CLICK", EventKey="K")
    assert await booked.ask(click) == "key"
    other = event_fields(booked.account, "CLICK", EventKey="L")
    assert await booked.ask(other) == "any"


async def test_an_answer_may_be_silence(booked: Pusher) -> None:
    @one_at_a_time
    async def silent(_: Tx, ask: Ask) -> Given:
        return NO_REPLY

    booked.services.router.on(ImageMessage, silent)
    image = {
        **text_fields(booked.account),
        "MsgType": "image",
        "PicUrl": "http://169.254.169.254/latest",
        "MediaId": "m",
    }
    assert (await booked.push(image)).body == b"success"


async def test_a_scene_nobody_knows_gets_a_polite_answer(booked: Pusher) -> None:
    scan = event_fields(booked.account, "SCAN", EventKey="foreign", Ticket="t")
    reply = await booked.ask(scan)
    assert reply is not None
    assert reply.startswith("您好，这里是江南小灶")
