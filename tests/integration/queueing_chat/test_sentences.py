"""The sentences of the queue by chat, to the character: `1` and `11b`, restaurant and hall."""

import json

from o2o.crm.statuses import QueueStatus
from o2o.infra.database import SessionFactory
from o2o.queueing.actions.move_tickets import MovedTicket, Verb
from tests.factories.queues import moved
from tests.fakes.clock import FakeClock
from tests.integration.queueing_chat.conftest import (
    CLASSES,
    EVERY_DAY,
    LINES,
    ONE_LINE,
    House,
    change,
    given_call,
    given_person,
    given_place,
    given_waiting,
    set_status,
)

DEFAULT = "您好，这里是江南小灶"


async def test_hall_tells_people_and_minutes(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, ONE_LINE)
    person = await given_person(sessions, hall)
    await given_waiting(sessions, place.queues["A"], *([1] * 10), clock=clock)

    assert await person.say("1") == "营业厅目前排队等候人数10人，预计等候时间60分钟"


async def test_restaurant_counts_people_and_tells_each_class(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    await given_waiting(sessions, place.queues["A"], 2, 1, clock=clock)
    await given_waiting(sessions, place.queues["B"], 4, 4, 3, clock=clock)
    await set_status(sessions, place, QueueStatus.PAUSED, "C")

    # Nothing is known of the person: the class in which most people wait.
    assert await person.say("1") == (
        "门店目前排队等候人数14人，预计等候时间30分钟\n"
        "A 小桌：等候3人，约10分钟\n"
        "B 中桌：等候11人，约30分钟\n"
        "C 大桌：暂停取号"
    )


async def test_one_in_every_spelling_and_spoken(
    sessions: SessionFactory, hall: House, restaurant: House
) -> None:
    await given_place(sessions, hall, LINES)
    await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, hall)
    guest = await given_person(sessions, restaurant)
    typed = ["1", "１", " 1 ", "1。", "①", "1\ufe0f\u20e3", "排队人数", "排隊人數"]
    spoken = ["1。", "一。", "一", "排队人数。"]
    told = [await person.say(words) for words in typed]
    told += [await person.speak(words) for words in spoken]
    assert set(told) == {"营业厅目前无人排队，到店即可办理"}
    assert await guest.say("1") == "门店目前无人排队，到店即可办理"


async def test_minutes_are_full_fives(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, ONE_LINE)
    person = await given_person(sessions, hall)
    await given_waiting(sessions, place.queues["A"], 1, clock=clock)
    # Minutes per party and who serves them; one party is ahead. The last are 7.5 and 12.5 minutes.
    cases = [(1, 1), (7, 1), (8, 1), (12, 1), (13, 1), (60, 1), (62, 1), (15, 2), (25, 2)]
    told = []
    for minutes, servers in cases:
        await change(
            sessions,
            f"UPDATE queues SET minutes_per_party = {minutes}, servers = {servers}",
        )
        told.append(await person.say("1"))
    assert told == [
        f"营业厅目前排队等候人数1人，预计等候时间{minutes}分钟"
        for minutes in (5, 5, 10, 10, 15, 60, 60, 10, 15)
    ]


async def test_closed_says_when_it_opens(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, LINES)
    person = await given_person(sessions, hall)
    # Friday noon: closed until the evening, or over the weekend.
    await set_hours(sessions, {"fri": [["08:30", "11:00"], ["17:00", "21:00"]]})
    assert await person.say("1") == "营业厅现在休息，今天17:00开始取号"
    await set_hours(sessions, {"mon": [["08:30", "17:00"]]})
    assert await person.say("1") == "营业厅现在休息，周一08:30开始取号"
    await set_hours(sessions, EVERY_DAY)
    await set_status(sessions, place, QueueStatus.CLOSED)
    assert await person.say("1") == "营业厅现在休息，明天08:30开始取号"
    # Three in the morning.
    clock.advance(hours=15)
    assert await person.say("1") == "营业厅现在休息，今天08:30开始取号"
    await set_hours(sessions, {})
    assert await person.say("1") == "营业厅现在休息，开始取号的时间请留意通知"


async def set_hours(sessions: SessionFactory, hours: dict[str, list[list[str]]]) -> None:
    await change(sessions, f"UPDATE stores SET hours = '{json.dumps(hours)}'::jsonb")


async def test_paused_says_who_waits_still(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    await given_waiting(sessions, place.queues["A"], 2, clock=clock)
    await set_status(sessions, place, QueueStatus.PAUSED)
    assert await person.say("1") == "门店暂停取号，目前排队等候人数2人，请稍后再来"


async def test_called_number_in_every_spelling_and_spoken(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, LINES)
    person = await given_person(sessions, hall)
    await given_waiting(sessions, place.queues["B"], 1, 1, clock=clock)
    first = await given_call(sessions, place.queues["B"], clock=clock)
    await given_call(sessions, place.queues["B"], clock=clock)
    # One of before is called again: the line has come as far as it has.
    again = await moved(sessions, Verb.RECALL, first.ticket_id, now=clock.now())
    assert isinstance(again, MovedTicket)
    typed = ["11b", "11B", "１１b", "１１Ｂ", " 11 b 。", "查11b", "11b业务", "11b業務"]
    spoken = ["十一B。", "幺幺b", "一一b，", "11B。", "11必"]
    told = [await person.say(words) for words in typed]
    told += [await person.speak(words) for words in spoken]
    assert set(told) == {"缴费业务目前呼叫号码为002号。"}


async def test_restaurant_answers_for_its_classes(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    person = await given_person(sessions, restaurant)
    await given_waiting(sessions, place.queues["B"], *([4] * 19), clock=clock)
    for _ in range(19):
        await given_call(sessions, place.queues["B"], clock=clock)
    assert await person.say("11b") == "中桌业务目前呼叫号码为019号。"
    assert await person.say("11c") == "大桌业务暂未开始叫号。"


async def test_unknown_line_lists_the_lines(
    sessions: SessionFactory, hall: House, restaurant: House
) -> None:
    await given_place(sessions, hall, LINES)
    await given_place(sessions, restaurant, [("D", "现金业务", "Cash line", 1, 5, 5)])
    person = await given_person(sessions, hall)
    guest = await given_person(sessions, restaurant)
    assert await person.say("11z") == "没有“Z”业务。可查询：A 开户、B 缴费，例如回复11b"
    assert await guest.say("11b") == "没有“B”业务。可查询：D 现金业务，例如回复11d"
    # The word is not said twice.
    assert await guest.say("11d") == "现金业务暂未开始叫号。"


async def test_yesterdays_calls_are_over(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, LINES)
    person = await given_person(sessions, hall)
    await given_waiting(sessions, place.queues["A"], 1, 1, clock=clock)
    await given_call(sessions, place.queues["A"], clock=clock)
    clock.advance(days=1)
    assert await person.say("11a") == "开户业务暂未开始叫号。"
    assert await person.say("1") == "营业厅目前无人排队，到店即可办理"


async def test_other_texts_are_for_others(sessions: SessionFactory, hall: House) -> None:
    await given_place(sessions, hall, LINES)
    person = await given_person(sessions, hall)
    for words in ("11", "111b", "11bb", "b11", "0", "你好", "排队的人真多啊"):
        told = await person.say(words)
        assert told is not None
        assert told.startswith(DEFAULT), words


async def test_english_words_are_answered_in_english(
    sessions: SessionFactory, hall: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, hall, ONE_LINE)
    person = await given_person(sessions, hall)
    await given_waiting(sessions, place.queues["A"], 1, clock=clock)
    assert await person.say("how long") == (
        "People waiting at the 营业厅: 1, expected wait: 5 minutes"
    )


async def test_account_without_queues_says_so(sessions: SessionFactory, hall: House) -> None:
    person = await given_person(sessions, hall)
    assert await person.say("1") == "江南小灶还没有可以取号的营业厅。"
