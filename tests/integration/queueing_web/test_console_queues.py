"""The console's pages of queues: who may look, who may change, what is kept and noted."""

import re
from uuid import UUID

import pytest

from o2o.infra.database import SessionFactory
from o2o.kernel.ids import new_id
from o2o.queueing.web.hall_streams import display_topic
from o2o.web.platform import Platform
from tests.factories.halls import Halls, at_console, rows
from tests.factories.pads import Browser
from tests.factories.queues import take, taken

QUEUE = {
    "code": "D",
    "name": "包间",
    "name_en": "Private room",
    "party_size_min": 6,
    "party_size_max": 20,
    "servers": 2,
    "minutes_per_party": 120,
    "rank": 4,
}
RULES = {
    "distance_m_max": "3000",
    "reach_m": "800",
    "notice_parties": "5",
    "notice_minutes": "15",
    "returns_max": "2",
    "return_behind": "4",
    "ordinary_between": "3",
    "has_member_priority": "yes",
    "after_close": "dismiss",
    "apology_text": "让您久等了",
}
WEEK = {"mon": "11:00-14:00, 17:00-02:00", "tue": "", "wed": "00:00-24:00", "thu": "09:00-18:00"}
PARTS = ("", "/queues", "/rules", "/hours", "/history")


def page_of(store_id: UUID, part: str = "") -> str:
    return f"/console/queues/{store_id}{part}"


@pytest.mark.parametrize(
    "login, sees, edits",
    [
        ("manager", True, True),
        ("farmanager", False, False),
        ("marketer", True, False),
        ("service", True, False),
        ("auditor", True, False),
        ("finance", False, False),
    ],
)
async def test_who_may_look_and_who_may_change(
    browser: Browser,
    halls: Halls,
    sessions: SessionFactory,
    login: str,
    sees: bool,
    edits: bool,
) -> None:
    store_id = halls.here.store.id
    await at_console(browser, login)
    for part in PARTS:
        answer = await browser.see(page_of(store_id, part))
        assert answer.status_code == (200 if sees else 403), (part, answer.text)
    before = await rows(sessions, "SELECT hours FROM stores ORDER BY id")
    changes = {
        "queue": await browser.post(page_of(store_id, "/queues"), **QUEUE),
        "change": await browser.post(page_of(store_id, f"/queues/{halls.here.a}"), **QUEUE),
        "desk": await browser.post(page_of(store_id, "/desks"), code="9", name="9号窗口"),
        "rules": await browser.post(page_of(store_id, "/rules"), **RULES),
        "hours": await browser.post(page_of(store_id, "/hours"), **WEEK),
        "door": await browser.post(page_of(store_id, "/retirements/door_code"), edition=1),
        "screen": await browser.post(page_of(store_id, "/retirements/display_address"), edition=1),
    }
    wanted = 200 if edits else 403
    assert {name: answer.status_code for name, answer in changes.items()} == dict.fromkeys(
        changes, wanted
    )
    if not edits:
        assert await rows(sessions, "SELECT hours FROM stores ORDER BY id") == before
        assert await rows(sessions, "SELECT count(*) FROM queues") == [(6,)]
        assert await rows(sessions, "SELECT 1 FROM desks UNION SELECT 1 FROM queue_settings") == []


async def test_the_list_leads_a_store_manager_to_the_own_store(
    browser: Browser, halls: Halls
) -> None:
    await at_console(browser, "manager")
    answer = await browser.see("/console/queues")
    assert answer.headers["location"] == page_of(halls.here.store.id)
    await at_console(browser, "marketer")
    page = (await browser.see("/console/queues")).text
    assert page.count("queue-store-link") == 2
    assert "大厅屏" not in (await browser.see(page_of(halls.here.store.id))).text


async def test_a_queue_is_added_closed_changed_and_retired(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    store_id = halls.here.store.id
    await at_console(browser, "manager")
    answer = await browser.post(page_of(store_id, "/queues"), **QUEUE)
    assert answer.json() == {"next": page_of(store_id, "/queues?done=queue_added")}
    [(queue_id, status, kind)] = await rows(
        sessions, "SELECT id, status, kind FROM queues WHERE code = 'D'"
    )
    assert (status, kind) == ("closed", "table_class")
    twice = await browser.post(page_of(store_id, "/queues"), **QUEUE)
    assert (twice.status_code, twice.json()["code"]) == (409, "queue.code_taken")

    path = page_of(store_id, f"/queues/{queue_id}")
    await browser.post(path, **(QUEUE | {"name": "大包间", "code": "Z"}))
    # The letter stands on people's tickets.
    assert await rows(sessions, "SELECT code, name FROM queues WHERE id = :id", id=queue_id) == [
        ("D", "大包间")
    ]
    assert (await browser.post(f"{path}/retirements")).status_code == 200
    assert await rows(sessions, "SELECT count(*) FROM queues WHERE retired_at IS NULL") == [(6,)]
    assert "大包间" not in (await browser.see(page_of(store_id, "/queues"))).text
    # The same letter again is the same queue, with its tickets.
    assert (await browser.post(page_of(store_id, "/queues"), **QUEUE)).status_code == 200
    assert await rows(sessions, "SELECT id, retired_at, name FROM queues WHERE code = 'D'") == [
        (queue_id, None, "包间")
    ]
    noted = await rows(
        sessions,
        "SELECT action FROM audit_entries WHERE object_id = :id",
        id=str(queue_id),
    )
    assert sorted(noted) == sorted(
        [("queue.added",), ("queue.changed",), ("queue.retired",), ("queue.added",)]
    )


async def test_a_queue_in_use_is_not_retired(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    await taken(sessions, take(halls.here.a))
    await at_console(browser, "manager")
    path = page_of(halls.here.store.id, f"/queues/{halls.here.a}/retirements")
    answer = await browser.post(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "queue.still_in_use")
    page = await browser.send(path)
    assert "有 1 个号在排，0 个预约未到" in page.text
    assert await rows(sessions, "SELECT 1 FROM queues WHERE retired_at IS NOT NULL") == []
    far = page_of(halls.here.store.id, f"/queues/{halls.far.a}/retirements")
    assert (await browser.post(far)).status_code == 404


WRONG_QUEUES: list[dict[str, str]] = [
    {"code": "d1"},
    {"name": ""},
    {"name": "长" * 13},
    {"name_en": ""},
    {"party_size_min": "0"},
    {"party_size_max": "51"},
    {"party_size_min": "7", "party_size_max": "6"},
    {"servers": "0"},
    {"minutes_per_party": "x"},
    {"rank": "-1"},
]


async def test_what_a_queue_cannot_be_is_said_at_its_field(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    await at_console(browser, "manager")
    for wrong in WRONG_QUEUES:
        answer = await browser.send(page_of(halls.here.store.id, "/queues"), **(QUEUE | wrong))
        assert answer.status_code == 422, wrong
        assert 'aria-invalid="true"' in answer.text, wrong
    assert await rows(sessions, "SELECT count(*) FROM queues") == [(6,)]


async def test_desks_serve_their_queues_and_none_of_another_store(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    store_id = halls.here.store.id
    await at_console(browser, "manager")
    stolen = await browser.post(page_of(store_id, "/desks"), code="1", queue_id=halls.far.a)
    assert stolen.status_code == 404
    assert await rows(sessions, "SELECT 1 FROM desks") == []
    await browser.post(page_of(store_id, "/desks"), code="1", queue_id=halls.here.a)
    [(desk_id, name)] = await rows(sessions, "SELECT id, name FROM desks")
    assert name == "1"
    taken_name = await browser.post(page_of(store_id, "/desks"), code="1", name="x")
    assert taken_name.json()["code"] == "desk.code_taken"
    path = page_of(store_id, f"/desks/{desk_id}")
    await browser.post(path, code="2", name="二号", queue_id=halls.here.b)
    assert await rows(
        sessions, "SELECT d.code, q.queue_id FROM desks d JOIN desk_queues q ON q.desk_id = d.id"
    ) == [("2", halls.here.b)]
    assert (await browser.post(page_of(store_id, f"/desks/{new_id()}/removals"))).status_code == 404
    await browser.post(f"{path}/removals")
    assert await rows(sessions, "SELECT 1 FROM desks UNION SELECT 1 FROM desk_queues") == []


async def test_rules_are_kept_and_wrong_ones_named(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    path = page_of(halls.here.store.id, "/rules")
    await at_console(browser, "manager")
    refused = await browser.send(path, **(RULES | {"notice_parties": "21"}))
    assert refused.status_code == 422
    assert 'name="notice_parties" type="text" value="21"' in refused.text
    assert "“前面还有几桌时提醒”请填 1 到 20 之间的整数。" in refused.text
    for wrong in ("49", "2001", "", "-5", "二百"):
        answer = await browser.post(path, **(RULES | {"reach_m": wrong}))
        assert (answer.status_code, answer.json()["field"]) == (422, "reach_m"), wrong
    # Whoever is "here" would be told that he is too far away.
    wide = await browser.post(path, **(RULES | {"distance_m_max": "500", "reach_m": "501"}))
    assert (wide.status_code, wide.json()["code"]) == (422, "queue.reach_beyond_distance")
    assert await rows(sessions, "SELECT 1 FROM queue_settings") == []

    assert (await browser.post(path, **RULES)).status_code == 200
    [kept] = await rows(
        sessions,
        "SELECT distance_m_max, reach_m, notice_parties, returns_max, ordinary_between,"
        " has_member_priority, serves_waiting_after_close, apology FROM queue_settings",
    )
    assert kept == (3000, 800, 5, 2, 3, True, False, {"text": "让您久等了"})
    page = (await browser.see(path)).text
    assert re.search(r'name="after_close" value="dismiss" checked', page)


async def test_a_door_code_and_a_display_address_are_taken_back_once(
    browser: Browser, halls: Halls, sessions: SessionFactory, platform: Platform
) -> None:
    """Each ends what was seen on the page, not what came after it; the other one stays."""
    store_id = halls.here.store.id
    await at_console(browser, "manager")
    page = (await browser.see(page_of(store_id))).text
    [old_screen] = re.findall(r'value="http://127.0.0.1:8000(/display/.*?)"', page)
    assert page.count('name="edition" value="1"') == 2
    board = (await browser.see(old_screen.replace("?", "/board?"))).text
    for what in ("display_address", "door_code"):
        path = page_of(store_id, f"/retirements/{what}")
        for edition in ("2", "0x1", ""):
            assert (await browser.post(path, edition=edition)).status_code == 422, edition
        # The second tap of an impatient finger.
        for _ in range(2):
            done = await browser.post(path, edition=1)
            assert done.json() == {"next": page_of(store_id, f"?done={what}")}
    assert await rows(sessions, "SELECT door_edition, display_edition FROM queue_settings") == [
        (2, 2)
    ]
    noted = "SELECT action FROM audit_entries WHERE action LIKE '%.retired' ORDER BY action"
    assert await rows(sessions, noted) == [("display_address.retired",), ("door_code.retired",)]

    gone = await browser.see(old_screen)
    assert gone.status_code == 410
    assert "这块大厅屏的地址已失效" in gone.text
    assert "data-board" not in gone.text
    assert (await browser.see(old_screen.replace("?", "/board?"))).status_code == 410
    path, _, query = old_screen.partition("?")
    stream = {"method": "GET", "path": f"{path}/live", "query_string": query.encode()}
    assert await display_topic(platform)(stream) is None
    page = (await browser.see(page_of(store_id, "?done=display_address"))).text
    [screen] = re.findall(r'value="http://127.0.0.1:8000(/display/.*?)"', page)
    assert (await browser.see(screen)).status_code == 200
    stream["query_string"] = screen.partition("?")[2].encode()
    assert await display_topic(platform)(stream) is not None
    # The screen draws itself anew for the door's new code.
    release = r'data-release="(.*?)"'
    fresh = (await browser.see(screen.replace("?", "/board?"))).text
    assert re.findall(release, fresh) != re.findall(release, board)
    assert (
        await browser.post(page_of(store_id, "/retirements/ledger"), edition=2)
    ).status_code == 404


async def test_hours_of_the_week_and_of_other_dates(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    path = page_of(halls.here.store.id, "/hours")
    await at_console(browser, "manager")
    saved = await browser.post(
        path,
        **WEEK,
        day_0="2099-02-17",
        hours_0="",
        day_1="2099-02-18",
        hours_1="１０：００－１４：００",
        day_2="2001-01-01",
        hours_2="10:00-11:00",
        day_3="",
        hours_3="",
    )
    assert saved.status_code == 200, saved.text
    [(hours, exceptions)] = await rows(
        sessions,
        "SELECT hours, hours_exceptions FROM stores WHERE id = :id",
        id=halls.here.store.id,
    )
    assert hours["mon"] == [["11:00", "14:00"], ["17:00", "02:00"]]
    assert hours["wed"] == [["00:00", "24:00"]]
    assert hours["tue"] == hours["sun"] == []
    assert exceptions == {"2099-02-17": [], "2099-02-18": [["10:00", "14:00"]]}


WRONG_HOURS: list[tuple[dict[str, str], str]] = [
    ({"mon": "十点"}, "没看懂"),
    ({"mon": "10:00"}, "没看懂"),
    ({"mon": "25:00-26:00"}, "没看懂"),
    ({"mon": "10:00-14:00, 13:00-18:00"}, "与别的时段重叠"),
    ({"mon": "18:00-11:00", "tue": "10:00-12:00"}, "与别的时段重叠"),
    ({"sun": "18:00-11:00", "mon": "10:00-12:00"}, "与别的时段重叠"),
    ({"mon": "1:00-2:00,3:00-4:00,5:00-6:00,7:00-8:00,9:00-10:00"}, "每天最多四段"),
    ({"day_0": "2099-02-30", "hours_0": ""}, "营业时间有误"),
]


async def test_hours_that_cannot_be_are_said_in_place(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    before = await rows(sessions, "SELECT hours, hours_exceptions FROM stores ORDER BY id")
    await at_console(browser, "manager")
    for typed, problem in WRONG_HOURS:
        answer = await browser.send(page_of(halls.here.store.id, "/hours"), **typed)
        assert answer.status_code == 422, typed
        assert problem in answer.text, typed
    after = await rows(sessions, "SELECT hours, hours_exceptions FROM stores ORDER BY id")
    assert after == before


async def test_history_tells_what_happened_and_who_did_it(
    browser: Browser, halls: Halls, sessions: SessionFactory
) -> None:
    [ticket] = await taken(
        sessions, take(halls.here.a, staff_id=halls.pad.staff_id, pad_id=halls.pad.pad_id)
    )
    await taken(sessions, take(halls.far.a))
    await at_console(browser, "auditor")
    page = (await browser.see(page_of(halls.here.store.id, "/history"))).text
    assert page.count('class="queue-row past-ticket"') == 1
    assert "A001" in page
    assert "陈洁 · 前台" in page
    other = await browser.see(
        page_of(halls.here.store.id, f"/history?day=2001-01-01&queue={halls.here.a}&after=x")
    )
    assert "这一天没有取号" in other.text
    assert str(ticket.ticket_id) not in other.text
