"""The hall's display: by its link alone, public data alone, every call with the words to say."""

import re

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.commands import Verb
from o2o.queueing.live import store_topic
from o2o.queueing.web.display_links import display_path
from o2o.queueing.web.hall_streams import display_topic, pad_queue_topic
from o2o.web.platform import Platform
from tests.factories.halls import Halls
from tests.factories.members import given_member
from tests.factories.pads import Browser, signed_in_at
from tests.factories.queues import called, given_machine, moved, take, taken
from tests.fakes.clock import FakeClock


async def test_the_display_shows_and_says_calls(
    browser: Browser, halls: Halls, sessions: SessionFactory, seal: Seal
) -> None:
    await taken(sessions, *(take(halls.here.b, party_size=3) for _ in range(3)))
    await called(sessions, halls.here.b, desk="3")
    await called(sessions, halls.here.b, desk="迎宾台")
    page = (await browser.see(display_path(seal, halls.here.store.id))).text
    assert '<p class="hall-now-number">B002</p>' in page
    assert re.findall(r'data-said="(.*?)"', page) == ["请B零零二号到迎宾台", "请B零零一号到3号窗口"]
    assert '<span class="hall-before-place">3号窗口</span>' in page
    assert "叫到 B002" in page
    assert re.findall(r"<b>(\d+)</b> <span class=\"hall-unit\">桌等候", page) == ["0", "1", "0"]
    assert 'aria-label="取号二维码"' in page


async def test_pad_and_display_say_what_the_halls_own_machine_said_and_when(
    pad: Browser, halls: Halls, sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    await taken(sessions, take(halls.here.a))
    await given_machine(sessions, halls.here, seal=seal, waiting=12)
    wall = display_path(seal, halls.here.store.id)
    page = (await pad.see("/pad/queue")).text
    assert "本厅由叫号机叫号" in page
    assert "连同叫号机共 13 位等候" in page
    assert "叫号机" not in (await pad.see(wall)).text

    clock.advance(seconds=91)
    assert "叫号机已经联系不上，最后一次消息是 今天 12:00" in (await pad.see("/pad/queue")).text
    assert "叫号机暂时联系不上，以下是 今天 12:00 的情况" in (await pad.see(wall)).text


async def test_nothing_of_who_it_is_leaves_the_store(
    browser: Browser, halls: Halls, sessions: SessionFactory, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        member_id = await given_member(tx, halls.here.brand, is_named=True)
    [ticket] = await taken(sessions, take(halls.here.a, member_id=member_id))
    await called(sessions, halls.here.a)
    page = (await browser.see(display_path(seal, halls.here.store.id))).text
    assert "A001" in page
    for secret in ("王", "小明", "1990", str(member_id), str(ticket.ticket_id)):
        assert secret not in page


async def test_who_left_is_no_longer_called(
    browser: Browser, halls: Halls, sessions: SessionFactory, seal: Seal
) -> None:
    [ticket] = await taken(sessions, take(halls.here.a))
    await called(sessions, halls.here.a)
    await moved(sessions, Verb.CANCEL, ticket.ticket_id)
    page = (await browser.see(display_path(seal, halls.here.store.id))).text
    assert "还没有叫号" in page


async def test_an_address_that_we_did_not_make_shows_nothing(
    browser: Browser, halls: Halls, seal: Seal
) -> None:
    good = display_path(seal, halls.here.store.id)
    other = good.replace(str(halls.here.store.id), str(halls.far.store.id))
    nobody = display_path(seal, new_id())
    for path in (other, nobody, good[:-1] + "0", good.partition("?")[0]):
        for part in ("", "/board"):
            answer = await browser.see(path.replace("?", f"{part}?") if part else path)
            if path == good:
                continue
            assert answer.status_code == 404, path
            assert "这个大厅屏的地址不对" in answer.text


async def test_streams_are_for_the_own_store(
    platform: Platform, halls: Halls, sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    topic_of = display_topic(platform)
    path, _, query = display_path(seal, halls.here.store.id).partition("?")
    scope = {"method": "GET", "path": f"{path}/live", "query_string": query.encode()}
    assert await topic_of(scope) == store_topic(halls.here.store.id)
    far = {**scope, "path": f"/display/{halls.far.store.id}/live"}
    assert await topic_of(far) is None
    assert await topic_of({**scope, "path": "/display/x/live"}) is None
    assert await topic_of({**scope, "method": "POST"}) is None

    cookies = await signed_in_at(halls.far_pad, sessions, seal=seal, clock=clock)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
    of_pad = pad_queue_topic(platform)
    signed_in = {"method": "GET", "headers": [(b"cookie", header)]}
    assert await of_pad(signed_in) == store_topic(halls.far.store.id)
    assert await of_pad({"method": "GET", "headers": []}) is None
