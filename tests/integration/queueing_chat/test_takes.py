"""Numbers by chat: taken in one message or step by step, asked for, given up, taken up again."""

import re

from o2o.crm.statuses import QueueStatus
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing import chat
from o2o.queueing.actions.move_tickets import MoveTicket, skip_tickets
from tests.factories.wechat import WORDS, Pusher, event_fields, running_services
from tests.fakes.clock import FakeClock
from tests.integration.queueing_chat.conftest import (
    CLASSES,
    LINES,
    ONE_LINE,
    URL,
    House,
    Person,
    change,
    given_call,
    given_person,
    given_place,
    given_waiting,
    rows,
    set_status,
    tickets,
)

HANGZHOU = (30.2465, 120.1685)


async def link_of(sessions: SessionFactory, person: Person) -> str:
    """The end of what is told of somebody's last number."""
    [row] = await rows(
        sessions,
        "SELECT t.id FROM tickets t JOIN fans f ON f.id = t.fan_id WHERE f.openid = :openid"
        " ORDER BY t.taken_at DESC, t.id DESC LIMIT 1",
        openid=person.openid,
    )
    page = f"{URL}/h5/{person.house.account.slug}/tickets/{row.id}"
    return f'<a href="{page}">查看实时进度</a>，快到时会通知您。\n不等了请回复 取消排队'


async def test_a_table_in_one_message(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    await given_waiting(sessions, place.queues["B"], 4, 4, 3, clock=clock)
    told = await person.say("取号3人")
    assert told is not None
    head, wait, *rest = told.split("预计")
    assert head == "取号成功：B004（中桌）\n小灶静安寺店，3位\n再等3桌就到您了，"
    assert rest == []
    # How wide the range is, the estimate knows.
    assert re.fullmatch(r"[0-9]+到[0-9]+分钟\n" + re.escape(await link_of(sessions, person)), wait)
    assert await tickets(sessions, person.openid) == [("B004", 3, "waiting", "ordinary", "chat")]


async def test_every_way_to_ask_for_a_number(sessions: SessionFactory, restaurant: House) -> None:
    await given_place(sessions, restaurant, CLASSES)
    for words, code, size in (
        ("排队 4位", "B001", 4),
        ("我要取號２人", "A001", 2),
        ("取号六个人", "C001", 6),
        ("两个人排队", "A002", 2),
        ("排隊３位。", "B002", 3),
    ):
        person = await given_person(sessions, restaurant)
        told = await person.say(words)
        assert told is not None
        assert told.startswith(f"取号成功：{code}（"), words
        [ticket] = await tickets(sessions, person.openid)
        assert ticket[:2] == (code, size)
    english = await given_person(sessions, restaurant)
    told = await english.say("queue 4 people")
    assert told is not None
    assert told.startswith("Your number: B003 (Medium table)\n小灶静安寺店, party of 4\n")


async def test_step_by_step_and_one_is_an_answer(
    sessions: SessionFactory, restaurant: House
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    asked = "小灶静安寺店：请问几位？回复人数即可，例如 3\n回复 退出 可结束"
    assert await person.say("取号") == asked
    # Zero, too many, and what is no number at all.
    again = "这里一次可接待1到10位，请重新回复人数。"
    assert await person.say("0") == again
    assert await person.say("999") == again
    other = await person.say("今天有龙虾吗")
    assert other is not None
    assert other.startswith("您好，这里是")
    assert await person.say("11b") == "中桌业务暂未开始叫号。"
    # Here `1` is a party of one; afterwards it asks how long the wait is.
    told = await person.say("1")
    assert told is not None
    assert told.startswith(
        "取号成功：A001（小桌）\n小灶静安寺店，1位\n下一个就到您了，请在附近等候\n"
    )
    waiting = await person.say("1")
    assert waiting is not None
    assert waiting.startswith("门店目前排队等候人数1人，预计等候时间5分钟\n")
    assert await tickets(sessions, person.openid) == [("A001", 1, "waiting", "ordinary", "chat")]


async def test_leaving_and_expiry_end_the_talk(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    for word in ("退出", "取消", "算了"):
        await person.say("取号")
        assert await person.say(word) == "好的，已退出。需要时请再告诉我们。"
        assert await person.say("1") == "门店目前无人排队，到店即可办理"
    await person.say("取号")
    clock.advance(minutes=10, seconds=1)
    assert await person.say("1") == "门店目前无人排队，到店即可办理"
    assert await tickets(sessions, person.openid) == []


async def test_a_talk_goes_on_after_a_restart(
    sessions: SessionFactory, restaurant: House, seal: Seal, clock: FakeClock, tmp_path: object
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    await person.say("取号")
    async with running_services(
        sessions=sessions,
        seal=seal,
        clock=clock,
        data_dir=tmp_path / "again",  # type: ignore[operator]
        public_url=URL,
    ) as services:
        chat.register(services.router, words=WORDS, public_url=URL)
        account = await services.accounts.get(restaurant.account.slug)
        again = Person(
            House(
                brand=restaurant.brand,
                account=restaurant.account,
                pusher=Pusher(services, account, clock),
            ),
            person.openid,
            member_id=None,
        )
        told = await again.say("两位")
    assert told is not None
    assert told.startswith("取号成功：A001（小桌）\n小灶静安寺店，2位\n")


async def test_the_same_message_twice_is_one_number(
    sessions: SessionFactory, restaurant: House
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    first = await person.say("取号2人", msg_id=77)
    assert await person.say("取号2人", msg_id=77) == first
    # Forgotten by the inbox, it is still the same intention.
    await change(sessions, "DELETE FROM inbound_messages")
    third = await person.say("取号2人", msg_id=77)
    assert third is not None
    assert third.startswith("您在小灶静安寺店已有排队号：A001（小桌）\n")
    assert len(await tickets(sessions, person.openid)) == 1


async def test_one_number_per_person_and_store(sessions: SessionFactory, restaurant: House) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    await person.say("取号2人")
    assert await person.say("取号5人") == (
        "您在小灶静安寺店已有排队号：A001（小桌）\n小灶静安寺店，2位\n"
        "下一个就到您了，请在附近等候\n" + await link_of(sessions, person)
    )
    assert len(await tickets(sessions, person.openid)) == 1


async def test_hall_asks_for_the_line(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, LINES)
    await given_waiting(sessions, place.queues["A"], 1, 1, clock=clock)
    person = await given_person(sessions, hall)
    options = "A 开户：等候2人，约10分钟\nB 缴费：无人排队\n回复 退出 可结束"
    assert await person.say("取号") == f"小灶静安寺店：请问办理哪项业务？请回复字母：\n{options}"
    assert await person.say("z") == f"没有这项业务，请回复下面的字母：\n{options}"
    assert await person.say("3") == f"没有这项业务，请回复下面的字母：\n{options}"
    told = await person.say("Ａ")
    assert told is not None
    assert told.startswith("取号成功：A003（开户）\n小灶静安寺店，1位\n再等2位就到您了，预计")
    # By its place in the list, by its name, and at once.
    for answers, code in ((["取号", "2"], "B001"), (["排队", "缴费"], "B002"), (["取B号"], "B003")):
        other = await given_person(sessions, hall)
        for words in answers:
            told = await other.say(words)
        assert told is not None
        assert told.startswith(f"取号成功：{code}（缴费）"), answers
    stranger = await given_person(sessions, hall)
    assert await stranger.say("取z号") == "没有“Z”业务。可查询：A 开户、B 缴费，例如回复11b"


async def test_one_line_needs_no_question(sessions: SessionFactory, hall: House) -> None:
    await given_place(sessions, hall, ONE_LINE)
    person = await given_person(sessions, hall)
    told = await person.say("取号")
    assert told is not None
    assert told.startswith("取号成功：A001（开户）")
    # Each number serves one, however many came along.
    await change(sessions, "UPDATE queues SET party_size_max = 1")
    company = await given_person(sessions, hall)
    told = await company.say("取号3人")
    assert told is not None
    assert told.startswith("取号成功：A002（开户）\n小灶静安寺店，1位\n")


async def test_closed_paused_and_too_large(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    assert await person.say("取号11人") == "这里一次可接待1到10位，请重新回复人数。"
    assert await person.say("取号0人") == "这里一次可接待1到10位，请重新回复人数。"
    await set_status(sessions, place, QueueStatus.PAUSED, "A")
    assert await person.say("取号2人") == "小桌暂停取号，请稍后再来。"
    await set_status(sessions, place, QueueStatus.PAUSED)
    assert await person.say("取号2人") == "门店暂停取号，请稍后再来"
    await set_status(sessions, place, QueueStatus.OPEN)
    clock.advance(hours=10)
    assert await person.say("取号2人") == "门店现在休息，明天08:30开始取号"
    assert await rows(sessions, "SELECT 1 FROM tickets") == []


async def test_status_cancel_and_none(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    assert (
        await person.say("我的号") == "您现在没有排队号。回复 取号 即可排队，回复 1 查看排队人数。"
    )
    assert (
        await person.say("取消排队")
        == "您现在没有排队号。回复 取号 即可排队，回复 1 查看排队人数。"
    )
    await given_waiting(sessions, place.queues["A"], 2, clock=clock)
    await person.say("取号2人")
    link = await link_of(sessions, person)
    head = "您的排队号：A002（小桌）\n小灶静安寺店，2位\n再等1桌就到您了，预计"
    told = [await person.say(words) for words in ("我的号", "排队进度", "排隊進度", "排队查询")]
    assert len(set(told)) == 1
    assert str(told[0]).startswith(head)
    assert str(told[0]).endswith("分钟\n" + link)
    await given_call(sessions, place.queues["A"], clock=clock)
    await given_call(sessions, place.queues["A"], clock=clock)
    assert await person.say("我的号") == (
        "您的排队号：A002（小桌）\n小灶静安寺店，2位\n正在叫您的号，请到店门口\n" + link
    )
    assert (
        await person.say("取消排队") == "已取消排队号A002（小灶静安寺店）。需要时回复 取号 再来。"
    )
    assert await tickets(sessions, person.openid) == [("A002", 2, "cancelled", "ordinary", "chat")]
    assert (
        await person.say("取消排队")
        == "您现在没有排队号。回复 取号 即可排队，回复 1 查看排队人数。"
    )


async def test_back_in_line_after_a_miss(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, LINES)
    person = await given_person(sessions, hall)
    await person.say("取a号")
    link = await link_of(sessions, person)
    assert await person.say("过号") == "您没有过号。"
    called = await given_call(sessions, place.queues["A"], clock=clock)
    assert await person.say("我的号") == (
        "您的排队号：A001（开户）\n小灶静安寺店，1位\n正在叫您的号，请到3号窗口\n" + link
    )
    async with transaction(sessions) as tx:
        await skip_tickets(
            tx, [MoveTicket(request_id=new_id(), ticket_id=called.ticket_id, now=clock.now())]
        )
    assert await person.say("我的号") == (
        "您的排队号：A001（开户）\n小灶静安寺店，1位\n已过号。回复 过号 可重新排队"
    )
    assert await person.say("过号") == (
        "已为您重新排队：A001（开户）\n下一个就到您了，请在附近等候\n" + link
    )
    called = await given_call(sessions, place.queues["A"], clock=clock)
    async with transaction(sessions) as tx:
        await skip_tickets(
            tx, [MoveTicket(request_id=new_id(), ticket_id=called.ticket_id, now=clock.now())]
        )
    assert await person.say("过号") == "A001已经重新排过队了。请重新取号，或到店联系我们。"


async def test_numbers_of_two_stores_are_told_and_cancelled_apart(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    person = await given_person(sessions, restaurant)
    asked = (
        "请问您要去哪家门店？回复数字或店名，也可以直接发送您的位置：\n"
        "1. 小灶湖滨店\n2. 小灶静安寺店\n回复 退出 可结束"
    )
    assert await person.say("取号2人") == asked
    assert await person.say("3") == "请回复1到2之间的数字。"
    told = await person.say("静安寺")
    assert told is not None
    assert told.startswith("取号成功：A001（小桌）\n小灶静安寺店，2位")
    # The place is remembered; another one has to be asked for.
    assert await person.say("11a") == "小桌业务暂未开始叫号。"
    assert await person.say("11a") == "小桌业务暂未开始叫号。"
    clock.advance(minutes=1)
    again = await person.say("换店")
    assert again == asked
    assert await person.say("1") == "门店目前无人排队，到店即可办理"
    told = await person.say("取号4人")
    assert told is not None
    assert told.startswith("取号成功：B001（中桌）\n小灶湖滨店，4位")
    both = await person.say("我的号")
    assert both is not None
    assert [line for line in both.split("\n") if line.startswith("您的排队号")] == [
        "您的排队号：B001（中桌）",
        "您的排队号：A001（小桌）",
    ]
    assert await person.say("取消排队") == (
        "您有2个排队号，要取消哪一个？请回复数字：\n"
        "1. B001 中桌（小灶湖滨店）\n2. A001 小桌（小灶静安寺店）"
    )
    assert await person.say("5") == "请回复1到2之间的数字。"
    assert await person.say("2") == ("已取消排队号A001（小灶静安寺店）。需要时回复 取号 再来。")
    assert [ticket[2] for ticket in await tickets(sessions, person.openid)] == [
        "cancelled",
        "waiting",
    ]


async def test_a_chosen_store_is_meant_for_half_an_hour(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    person = await given_person(sessions, restaurant)
    assert str(await person.say("换店")).startswith("请问您要去哪家门店？")
    for words in ("静安寺", "1", "1", "11a", "1"):
        told = await person.say(words)
        assert told in {"门店目前无人排队，到店即可办理", "小桌业务暂未开始叫号。"}
        clock.advance(minutes=7)
    # Nobody knows any more which one is meant: the answer says which one it is about.
    assert "\n以上是" in str(await person.say("1"))


async def test_a_tap_in_the_menu_is_the_command(
    sessions: SessionFactory, restaurant: House
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    account = restaurant.pusher.account
    for key, told in (
        ("queue_wait", "门店目前无人排队，到店即可办理"),
        ("queue_take", "小灶静安寺店：请问几位？回复人数即可，例如 3\n回复 退出 可结束"),
    ):
        fields = event_fields(account, "CLICK", openid=person.openid, EventKey=key)
        assert await restaurant.pusher.ask(fields) == told


async def test_the_last_store_is_meant_and_named(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    person = await given_person(sessions, restaurant)
    await person.say("取号2人")
    await person.say("1")
    await person.say("取消排队")
    clock.advance(minutes=31)
    assert await person.say("1") == (
        "门店目前无人排队，到店即可办理\n以上是小灶湖滨店。要查其他门店请回复 换店"
    )
    told = await person.say("取号2人")
    assert told is not None
    assert told.startswith("取号成功：A002（小桌）\n小灶湖滨店，2位\n")
    assert told.endswith("\n不是去这家？回复 取消排队，再回复 换店")
    assert await person.say("11a") == "小桌业务暂未开始叫号。"
