"""Many people at once: a bounded number of statements, one number each, and nobody else's talk."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from o2o.crm.members import Fan
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.geo import Point, distance_m
from o2o.kernel.ids import new_id
from o2o.queueing import chat
from o2o.stores.queries import list_nearest_stores
from o2o.wechat.chat.asks import Answer, Ask, Given, KeepDialogue, one_at_a_time
from o2o.wechat.chat.dialogues import DialogueDefinition
from o2o.wechat.codec.messages import InboundMessage, LocationMessage, TextMessage
from o2o.wechat.codec.replies import TextReply
from o2o.wechat.router import Stage
from tests.factories.members import given_fan
from tests.factories.organisation import given_store
from tests.factories.wechat import WORDS, Pusher, running_services
from tests.fakes.clock import FakeClock
from tests.fakes.statements import heard_statements
from tests.integration.queueing_chat.conftest import (
    CLASSES,
    URL,
    House,
    Person,
    given_person,
    given_place,
    rows,
    tickets,
)

# What a batch is made of, again and again.
SAID = ("1", "11b", "11z", "取号2人", "取号", "我的号", "取消排队", "换店", "过号")


def ask_of(house: House, fan: Fan, *, said: str | None) -> Ask:
    """A message as the router hands it on; None: a place in the first store."""
    account, router = house.pusher.account, house.pusher.services.router
    head = (account.original_id, fan.openid, 0, int(new_id()) % 10**12)
    message: InboundMessage = TextMessage(*head, raw={}, content=said or "")
    if said is None:
        message = LocationMessage(
            *head, raw={}, latitude=31.2236, longitude=121.4458, scale=16, label="", datum="gcj02"
        )
    named = router.find_command(said) if said else None
    return Ask(
        account=account,
        openid=fan.openid,
        fan_id=fan.id,
        member_id=fan.member_id,
        message=message,
        text=said or "",
        now=house.pusher.clock.now(),
        locale="zh_CN",
        command=named.command if named else None,
    )


async def statements_of(
    sessions: SessionFactory, house: House, monkeypatch: pytest.MonkeyPatch, *, rounds: int
) -> tuple[list[str], Sequence[Given]]:
    """The statements that a batch with so many people of every kind took."""
    answers = chat.QueueChat(house.pusher.services.router, WORDS, public_url=URL)
    async with transaction(sessions) as tx:
        asks = [
            ask_of(house, await given_fan(tx, house.account), said=said)
            for _ in range(rounds)
            for said in (*SAID, None)
        ]
        await tx.flush()
        heard = heard_statements(sessions, monkeypatch)
        given = await answers.answer(tx, asks)
        return list(heard), given


async def test_a_batch_takes_as_many_statements_as_one(
    sessions: SessionFactory, restaurant: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    # The first number of the day begins it.
    await statements_of(sessions, restaurant, monkeypatch, rounds=1)
    few, _ = await statements_of(sessions, restaurant, monkeypatch, rounds=1)
    many, given = await statements_of(sessions, restaurant, monkeypatch, rounds=12)
    assert many == few
    assert len(few) <= 25
    taken = [
        one.reply.content.split("\n")[0]
        for one in given
        if isinstance(one, Answer)
        and isinstance(one.reply, TextReply)
        and one.reply.content.startswith("取号成功")
    ]
    assert taken == [f"取号成功：A{number:03d}（小桌）" for number in range(3, 15)]


async def test_messages_at_once_from_two_processes_are_one_number(
    sessions: SessionFactory, restaurant: House, seal: Seal, clock: FakeClock, tmp_path: Path
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    async with running_services(
        sessions=sessions, seal=seal, clock=clock, data_dir=tmp_path / "other", public_url=URL
    ) as services:
        chat.register(services.router, words=WORDS, public_url=URL)
        account = await services.accounts.get(restaurant.account.slug)
        pusher = Pusher(services, account, clock)
        other = Person(
            House(brand=restaurant.brand, account=restaurant.account, pusher=pusher),
            person.openid,
            member_id=None,
        )
        told = await asyncio.gather(
            *(who.say(f"取号{size}人") for who in (person, other) for size in (2, 2, 3, 5))
        )
    heads = sorted(str(one).split("\n")[0][:4] for one in told)
    assert heads == ["取号成功", *["您在小灶"] * 7]
    assert len(await tickets(sessions, person.openid)) == 1
    assert len(await rows(sessions, "SELECT 1 FROM tickets")) == 1


@one_at_a_time
async def quiz(_: Tx, ask: Ask) -> Given:
    """Somebody else's dialogue, which waits for a letter."""
    return TextReply("答对了") if ask.text == "a" else None


@one_at_a_time
async def begin(_: Tx, ask: Ask) -> Given:
    if ask.text != "答题":
        return None
    return Answer(TextReply("第一题"), KeepDialogue(name="quiz", step="one"))


async def test_talks_of_others_go_on(sessions: SessionFactory, restaurant: House) -> None:
    await given_place(sessions, restaurant, CLASSES)
    router = restaurant.pusher.services.router
    router.dialogue(DialogueDefinition(name="quiz", answer=quiz))
    router.stage(Stage.KEYWORD, begin)
    person = await given_person(sessions, restaurant)
    await person.say("答题")
    told = await person.say("取号2人")
    assert told is not None
    assert told.startswith("取号成功：A001")
    assert str(await person.say("1")).startswith("门店目前排队等候人数2人")
    assert await person.say("a") == "答对了"


async def test_nearest_stores_are_as_far_as_the_kernel_says(
    sessions: SessionFactory, restaurant: House
) -> None:
    here = Point(31.2304, 121.4737)
    async with transaction(sessions) as tx:
        for index in range(30):
            store = await given_store(tx, restaurant.brand, restaurant.account, name=f"第{index}店")
            store.latitude = 18.0 + (index * 7 % 30) * 1.1
            store.longitude = 75.0 + (index * 11 % 30) * 2.0
        await tx.flush()
        places = [
            (restaurant.account.id, here),
            (restaurant.account.id, Point(-33.9, 18.4)),
            (new_id(), here),
        ]
        near, away, none = await list_nearest_stores(tx, places, most=5)
        points = {
            row.id: Point(row.latitude, row.longitude)
            for row in await tx.execute(text("SELECT id, latitude, longitude FROM stores"))
        }
    for found, at in ((near, here), (away, places[1][1])):
        expected = sorted(distance_m(at, point) for point in points.values())[:5]
        assert len(found) == 5
        for one, metres in zip(found, expected, strict=True):
            assert abs(one.distance_m - metres) < 0.01
            assert abs(distance_m(at, points[one.store_id]) - metres) < 0.01
    assert none == []
