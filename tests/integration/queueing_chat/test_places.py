"""A place that is sent: inside one store, between two, nowhere near, and no place on earth."""

from o2o.infra.database import SessionFactory
from tests.fakes.clock import FakeClock
from tests.integration.queueing_chat.conftest import (
    CLASSES,
    LINES,
    ONE_LINE,
    URL,
    House,
    change,
    given_person,
    given_place,
    given_waiting,
    tickets,
)

JINGAN = (31.2236, 121.4458)
# 170 metres to the north of it, and a place in between.
NEXT_DOOR = (31.22513, 121.4458)
BETWEEN = (31.2243, 121.4458)
HANGZHOU = (30.2465, 120.1685)
UNREADABLE = "没看懂这个位置。请点“+”选“位置”，发送您现在所在的地点。"


async def test_member_in_a_restaurant_gets_the_members_number(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES, has_member_priority=True)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    await given_waiting(sessions, place.queues["B"], 4, 4, 4, clock=clock)
    member = await given_person(sessions, restaurant, is_member=True)
    assert await member.send_place(*JINGAN) == (
        "小灶静安寺店：请问几位？回复人数即可，例如 3\n回复 退出 可结束"
    )
    told = await member.say("4")
    assert told is not None
    assert told.startswith(
        "您的微信会员专属排队号：B004（中桌）\n小灶静安寺店，4位\n下一个就到您了，请在附近等候\n"
    )
    assert await tickets(sessions, member.openid) == [("B004", 4, "waiting", "member", "location")]
    again = await member.send_place(*JINGAN)
    assert again is not None
    assert again.startswith("您在小灶静安寺店已有排队号：B004（中桌）\n")


async def test_member_in_a_hall(sessions: SessionFactory, hall: House) -> None:
    place = await given_place(sessions, hall, ONE_LINE, has_member_priority=True)
    member = await given_person(sessions, hall, is_member=True)
    # A hundred metres off is what a phone errs inside a building.
    told = await member.send_place(31.2245, 121.4458)
    assert told is not None
    assert told.startswith("您的微信会员专属排队号：A001（开户）\n")
    # How near counts as there is the store's to say: in a wide mall, or among others.
    for reach_m, latitude, begins in (
        (50, 31.2245, "您附近没有营业厅"),
        (1200, 31.2326, "您的微信会员专属排队号：A002"),
    ):
        await change(sessions, f"UPDATE queue_settings SET reach_m = {reach_m}")
        other = await given_person(sessions, hall, is_member=True)
        assert str(await other.send_place(latitude, 121.4458)).startswith(begins)
    await change(sessions, f"UPDATE queues SET status = 'closed' WHERE id = '{place.queues['A']}'")
    other = await given_person(sessions, hall, is_member=True)
    assert await other.send_place(*JINGAN) == "营业厅现在休息，明天08:30开始取号"


async def test_member_in_a_hall_with_lines_says_which(
    sessions: SessionFactory, hall: House
) -> None:
    await given_place(sessions, hall, LINES, has_member_priority=True)
    member = await given_person(sessions, hall, is_member=True)
    asked = await member.send_place(*JINGAN)
    assert asked is not None
    assert asked.startswith("小灶静安寺店：请问办理哪项业务？请回复字母：\nA 开户：无人排队\n")
    told = await member.say("b")
    assert told is not None
    assert told.startswith("您的微信会员专属排队号：B001（缴费）\n")


async def test_who_has_no_card_gets_the_link_and_may_take_an_ordinary_number(
    sessions: SessionFactory, restaurant: House
) -> None:
    await given_place(sessions, restaurant, CLASSES, has_member_priority=True)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    fan = await given_person(sessions, restaurant)
    assert await fan.send_place(*HANGZHOU) == (
        "您在小灶湖滨店。开通会员卡即可领取微信会员专属排队号：\n"
        f'<a href="{URL}/h5/{restaurant.account.slug}/card">一键开通会员卡</a>，'
        "开好后再发送一次位置。\n也可以回复 取号，取普通排队号。"
    )
    assert await tickets(sessions, fan.openid) == []
    told = await fan.say("取号2人")
    assert told is not None
    assert told.startswith("取号成功：A001（小桌）\n小灶湖滨店，2位\n")
    assert await tickets(sessions, fan.openid) == [("A001", 2, "waiting", "ordinary", "chat")]


async def test_between_two_stores_the_person_says_which(
    sessions: SessionFactory, restaurant: House
) -> None:
    await given_place(sessions, restaurant, CLASSES, has_member_priority=True)
    await given_place(
        sessions, restaurant, CLASSES, name="小灶南京路店", at=NEXT_DOOR, has_member_priority=True
    )
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    member = await given_person(sessions, restaurant, is_member=True)
    asked = (
        "您附近有2家门店，请问您在哪一家？请回复数字：\n"
        "1. 小灶静安寺店（约80米）\n2. 小灶南京路店（约90米）\n回复 退出 可结束"
    )
    assert await member.send_place(*BETWEEN) == asked
    assert await member.say("3") == "请回复1到2之间的数字。"
    assert await member.say("2") == (
        "小灶南京路店：请问几位？回复人数即可，例如 3\n回复 退出 可结束"
    )
    told = await member.say("5")
    assert told is not None
    assert told.startswith("您的微信会员专属排队号：C001（大桌）\n小灶南京路店，5位\n")
    other = await given_person(sessions, restaurant, is_member=True)
    await other.send_place(*BETWEEN)
    assert await other.say("静安寺") == (
        "小灶静安寺店：请问几位？回复人数即可，例如 3\n回复 退出 可结束"
    )


async def test_nowhere_near_lists_the_nearest(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    place = await given_place(sessions, restaurant, CLASSES)
    await given_waiting(sessions, place.queues["A"], 2, clock=clock)
    far = await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    await given_place(sessions, restaurant, [], name="小灶外卖站", at=(31.3, 121.4458))
    await given_place(sessions, restaurant, CLASSES, name="小灶太远店", at=(25.0, 118.0))
    await change(
        sessions,
        f'UPDATE stores SET hours = \'{{"mon": [["08:30", "17:00"]]}}\''
        f" WHERE id = '{far.store.id}'",
    )
    member = await given_person(sessions, restaurant, is_member=True)
    assert await member.send_place(31.2326, 121.4458) == (
        "您附近没有门店。离您最近的是：\n"
        "小灶静安寺店，距您1公里，营业中，等候2人，约5分钟\n"
        "小灶外卖站，距您7.5公里，到店即可，无需取号\n"
        "小灶湖滨店，距您164公里，休息中，周一08:30开始取号\n"
        "到店后再发送位置，会员可领取专属排队号。"
    )
    # `1` means the nearest of them then, and says so.
    assert str(await member.say("1")).endswith("\n以上是小灶静安寺店。要查其他门店请回复 换店")
    assert await tickets(sessions, member.openid) == []


async def test_no_place_on_earth(sessions: SessionFactory, restaurant: House) -> None:
    await given_place(sessions, restaurant, CLASSES)
    member = await given_person(sessions, restaurant, is_member=True)
    for place in ((0, 0), (91, 121), (31, 181), ("nan", 121), ("", ""), ("1e999", 0), ("';", "x")):
        assert await member.send_place(*place) == UNREADABLE, place
    assert await tickets(sessions, member.openid) == []


async def test_datum_of_the_account_counts(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, ONE_LINE)
    await change(sessions, "UPDATE official_accounts SET message_datum = 'wgs84'")
    services = restaurant.pusher.services
    await services.accounts.refresh()
    account = await services.accounts.get(restaurant.account.slug)
    restaurant.pusher.account = account
    person = await given_person(sessions, restaurant, is_member=True)
    # Half a kilometre off on a Chinese map.
    told = await person.send_place(*JINGAN)
    assert told is not None
    assert told.startswith("您附近没有门店。离您最近的是：\n小灶静安寺店，距您")
    told = await person.send_place(31.22554, 121.44130)
    assert told is not None
    assert told.startswith("取号成功：A001（开户）")


async def test_a_store_that_takes_only_people_nearby(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, CLASSES, distance_m_max=500)
    fan = await given_person(sessions, restaurant)
    needed = "小灶静安寺店只有500米以内才能取号。请点“+”选“位置”发送您在哪里，再回复 取号"
    assert await fan.say("取号2人") == needed
    await fan.send_place(31.2326, 121.4458)
    assert await fan.say("取号2人") == (
        "您离小灶静安寺店约1公里，500米以内才能取号。到附近后再发送位置，或到店取号。"
    )
    await fan.send_place(*JINGAN)
    # What was said a quarter of an hour ago says nothing about now.
    clock.advance(minutes=16)
    assert await fan.say("取号2人") == needed
    await fan.send_place(*JINGAN)
    told = await fan.say("取号2人")
    assert told is not None
    assert told.startswith("取号成功：A001（小桌）")


async def test_a_place_answers_the_question_for_a_store(
    sessions: SessionFactory, restaurant: House
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    fan = await given_person(sessions, restaurant)
    asked = await fan.say("换店")
    assert asked is not None
    assert asked.startswith("请问您要去哪家门店？")
    assert await fan.send_place(30.25, 120.17) == "门店目前无人排队，到店即可办理"


async def test_a_stranger_is_told_of_the_store_where_most_wait_by_name(
    sessions: SessionFactory, restaurant: House, clock: FakeClock
) -> None:
    await given_place(sessions, restaurant, CLASSES)
    busy = await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    await given_waiting(sessions, busy.queues["A"], 2, clock=clock)
    fan = await given_person(sessions, restaurant)
    told = str(await fan.say("1"))
    assert told.startswith("门店目前排队等候人数2人，预计等候时间")
    assert told.endswith("\n以上是小灶湖滨店。要查其他门店请回复 换店")
    assert await fan.say("11b") == (
        "中桌业务暂未开始叫号。\n以上是小灶湖滨店。要查其他门店请回复 换店"
    )
    assert str(await fan.say("换店")).startswith("请问您要去哪家门店？")
    assert await fan.say("静安寺") == "门店目前无人排队，到店即可办理"
    assert await fan.say("11b") == "中桌业务暂未开始叫号。"


async def test_a_revoked_place_is_forgotten(sessions: SessionFactory, restaurant: House) -> None:
    await given_place(sessions, restaurant, CLASSES)
    await given_place(sessions, restaurant, CLASSES, name="小灶湖滨店", at=HANGZHOU)
    fan = await given_person(sessions, restaurant)
    await fan.send_place(30.25, 120.17)
    assert str(await fan.say("1")).startswith("门店目前无人排队，到店即可办理\n以上是小灶湖滨店")
    await change(sessions, "UPDATE inbound_messages SET sent = sent::jsonb - 'Location_X'")
    assert "以上是小灶静安寺店。" in str(await fan.say("1"))
