"""The sentences about bookings, to the character."""

import re

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from tests.factories.bookings import (
    given_bookable_store,
    given_fans,
    given_hall,
    given_queue,
    given_slots,
    shanghai,
    slots_booked,
)
from tests.factories.members import count
from tests.integration.bookings.talk import Talk

# It is noon in Shanghai on 20 November 2026.
BOOKED = (
    r"预约成功：2026年11月21日09:00，电信静安厅。预约码([2-9A-HJ-NP-Z]{4})，到店优先办理。"
    r"取消请回复 q#\1"
)
NOT_READ = "没看懂预约时间。格式：y#年月日时分，例如回复 y#202611210900"
WAYS = (
    "y#202611210900",
    "Y#202611210900",
    "ｙ＃２０２６１１２１０９００",
    "y202611210900",
    " y# 2026 1121 0900 ",
    "y#202611210900。",
    "y#2026-11-21 9:00",
    "y#2026年11月21日9点",
    "y#2026年11月21日09时00分",
    "y#202611210900a",
    "y#202611210900 1人",
    "\U0001f449 y#202611210900 \U0001f44d",
)
REFUSED = {
    # The fifth day is allowed, the sixth is not.
    "y#202611260900": "只能预约5日内的时段，例如回复 y#202611210900",
    "y#202612010900": "只能预约5日内的时段，例如回复 y#202611210900",
    "y#202611201159": "该时段已过，例如回复 y#202611210900",
    "y#202611201200": "该时段已过，例如回复 y#202611210900",
    "y#201212100900": "该时段已过，例如回复 y#202611210900",
    "y#202613210900": NOT_READ,
    "y#202602300900": NOT_READ,
    "y#202611212500": NOT_READ,
    "y#202611210960": NOT_READ,
    "y#20261121090": NOT_READ,
    "y#2026112109000": NOT_READ,
    "y#2026": NOT_READ,
    "y#": NOT_READ,
    "Y＃明天九点": NOT_READ,
    "y202613210900": NOT_READ,
    "y#000000000000": NOT_READ,
    "y#000101010000": NOT_READ,
    "y#" + "2" * 60: NOT_READ,
    "y#202611210900，" + "麻烦给我们留一张靠窗的桌子" * 4: NOT_READ,
    "q#" + "2" * 60: "取消预约请回复 q#预约码",
    "y#202611210910": (
        "2026年11月21日09:10没有可约时段。可改约：09:00、09:30、10:00，例如回复 y#202611210900"
    ),
    "y#202611210300": (
        "2026年11月21日03:00没有可约时段。可改约：09:00、09:30、10:00，例如回复 y#202611210900"
    ),
    "y#202611210900z": "没有“Z”业务可预约。可预约：A A线，例如回复 y#202611210900a",
    "y#202611210900 9人": "电信静安厅可预约1到4人，例如回复 y#202611210900 1人",
    "y#202611210900 0人": "电信静安厅可预约1到4人，例如回复 y#202611210900 1人",
    "y#202611210900 999人": "电信静安厅可预约1到4人，例如回复 y#202611210900 1人",
}


async def test_a_free_slot_is_booked_however_it_is_typed(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=len(WAYS))
    fans = await given_fans(sessions, hall, len(WAYS))
    for text, fan in zip(WAYS, fans, strict=True):
        told = await Talk(sessions, hall, seal=seal, fan=fan).say(text)
        assert re.fullmatch(BOOKED, told), (text, told)
    assert await slots_booked(sessions) == {"11-21 09:00": len(WAYS)}


async def test_the_same_message_twice_is_one_booking_and_one_answer(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal, capacity=2)
    talk = Talk(sessions, hall, seal=seal)
    first = await talk.say("y#202611210900")
    assert await talk.say("y#202611210900") == first
    assert await talk.say("Y＃2026 1121 0900") == first
    assert await talk.say_all(["y#202611210900"] * 3) == [first] * 3
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    assert await count(sessions, "bookings") == 1


async def test_a_full_slot_is_refused_with_three_others(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    await Talk(sessions, hall, seal=seal, fan=other).say("y#202611210900")
    talk = Talk(sessions, hall, seal=seal)
    assert await talk.say("y#202611210900") == (
        "2026年11月21日09:00已约满。可改约：09:30、10:00、10:30，例如回复 y#202611210930"
    )
    await Talk(sessions, hall, seal=seal, fan=other).say("y#202611211100")
    # Of two times as near the later is nearer; they are told in their order.
    assert await talk.say("y#202611211100") == (
        "2026年11月21日11:00已约满。可改约：10:00、10:30、11:30，例如回复 y#202611211130"
    )
    assert await count(sessions, "bookings") == 2


async def test_what_cannot_be_booked_is_said_with_a_free_example(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    talk = Talk(sessions, hall, seal=seal)
    assert {text: await talk.say(text) for text in REFUSED} == REFUSED
    assert await count(sessions, "bookings") == 0
    assert await count(sessions, "booking_slots") == 0


async def test_the_fifth_day_is_allowed(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    told = await Talk(sessions, hall, seal=seal).say("y#202611251130")
    assert told.startswith("预约成功：2026年11月25日11:30，电信静安厅。预约码")


async def test_the_sixth_day_begins_at_midnight_in_shanghai(
    sessions: SessionFactory, seal: Seal
) -> None:
    hall = await given_hall(sessions, seal=seal)
    talk = Talk(sessions, hall, seal=seal).at(shanghai("2026-11-20 23:59"))
    assert (await talk.say("y#202611260900")).startswith("只能预约5日内的时段")
    talk.at(shanghai("2026-11-21 00:00"))
    assert (await talk.say("y#202611260900")).startswith("预约成功：2026年11月26日09:00")


async def test_a_booking_is_called_off_by_its_code(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    [other] = await given_fans(sessions, hall, 1)
    talk, stranger = (Talk(sessions, hall, seal=seal, fan=fan) for fan in (hall.fan, other))
    told = await talk.say("y#202611210900")
    code = told[-4:]
    assert await stranger.say(f"q#{code}") == f"没有找到您的预约码{code}。请核对后回复 q#预约码"
    assert await talk.say("q#") == f"取消预约请回复 q#预约码，例如 q#{code}"
    assert await slots_booked(sessions) == {"11-21 09:00": 1}
    for text in (f"q#{code}", f"Ｑ＃{code.lower()}", f"q {code}"):
        assert await talk.say(text) == "已取消预约：2026年11月21日09:00，电信静安厅。"
    assert await slots_booked(sessions) == {}
    assert (await stranger.say("y#202611210900")).startswith("预约成功")


async def test_of_several_stores_one_is_asked_for(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        store = await given_bookable_store(tx, hall.brand, hall.account, name="电信徐汇厅")
        await given_slots(tx, await given_queue(tx, store))
    talk = Talk(sessions, hall, seal=seal)
    assert await talk.say("y#202611210900") == (
        "您想预约哪家营业厅？请回复序号：\n1. 电信徐汇厅\n2. 电信静安厅"
    )
    assert await talk.say("3") == "请回复 1 到 2 之间的序号，或回复“退出”。"
    first = await talk.say("１。")
    assert first.startswith("预约成功：2026年11月21日09:00，电信徐汇厅。预约码")
    # The talk is about that store now; and half an hour later the time itself says which one.
    for _ in range(2):
        assert await talk.say("y#202611210900") == first
        talk.forget()
    assert (await talk.say("y#202611210930")).startswith(
        "预约成功：2026年11月21日09:30，电信徐汇厅。预约码"
    )
    assert await slots_booked(sessions) == {"11-21 09:00": 1, "11-21 09:30": 1}


async def test_a_store_is_chosen_by_its_name_too(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    async with transaction(sessions) as tx:
        store = await given_bookable_store(tx, hall.brand, hall.account, name="电信徐汇厅")
        await given_slots(tx, await given_queue(tx, store))
    talk = Talk(sessions, hall, seal=seal)
    await talk.say("y#202611210900")
    assert (await talk.say("徐汇厅。")).startswith(
        "预约成功：2026年11月21日09:00，电信徐汇厅。预约码"
    )


async def test_other_words_are_not_about_bookings(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    talk = Talk(sessions, hall, seal=seal)
    default = await talk.say("今天有什么好吃的")
    for text in ("yes", "yyds", "y2026", "quit", "qqqq", "q", "y", "2026年11月21日"):
        assert await talk.say(text) == default, text


async def test_the_command_tells_mine_and_how(sessions: SessionFactory, seal: Seal) -> None:
    hall = await given_hall(sessions, seal=seal)
    talk = Talk(sessions, hall, seal=seal)
    link = f'<a href="https://o2o.example/h5/{hall.account.slug}/bookings">打开预约页面</a>'
    how = f"预约请回复 y#年月日时分，例如 y#202611210900\n{link}"
    assert await talk.say("预约") == f"您还没有预约。\n{how}"
    code = (await talk.say("y#202611211000"))[-4:]
    assert await talk.say("我的预约") == (
        f"您的预约：\n2026年11月21日10:00，电信静安厅，预约码{code}\n{how}"
    )
