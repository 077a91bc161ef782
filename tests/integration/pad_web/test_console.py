"""The console's door and its page of pads: whose stores, one-time codes, revoking, unlocking."""

import re

import pytest

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.ids import new_id
from o2o.web.platform import Platform
from tests.factories.members import Counter, count
from tests.factories.pads import Browser, browser_of
from tests.factories.staff import PASSWORD, PIN, given_staff
from tests.fakes.clock import FakeClock

CODE = re.compile(r"data-enrolment-code>(\d{4}) (\d{4})<")
LOCKED = "pin_locked_at IS NOT NULL"


@pytest.fixture
async def people(sessions: SessionFactory, counter: Counter) -> None:
    """A manager of the first store, one of the brand, a marketer, and clerks."""
    async with transaction(sessions) as tx:
        for login, role, store in (
            ("manager-here", StaffRoleName.MANAGER, counter.store.id),
            ("manager-all", StaffRoleName.MANAGER, None),
            ("seller", StaffRoleName.MARKETER, None),
            ("clerk-here", StaffRoleName.CLERK, counter.store.id),
            ("clerk-far", StaffRoleName.CLERK, counter.far_store.id),
        ):
            await given_staff(tx, counter.brand, role=role, store_id=store, login=login)


async def signed_in(browser: Browser, login: str) -> Browser:
    await browser.see("/console/sign-in")
    answer = await browser.send("/console/sign-in", login=login, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    await browser.see("/console/pads")
    return browser


async def test_nobody_gets_past_the_door(browser: Browser) -> None:
    for path in ("/console", "/console/pads"):
        page = await browser.see(path)
        assert (page.status_code, page.headers["location"]) == (303, "/console/sign-in")
    posted = await browser.post("/console/pads/enrolments", store_id=new_id())
    assert (posted.status_code, posted.json()["code"]) == (401, "session.invalid")


async def test_wrong_password_and_unknown_login_read_the_same(
    browser: Browser, people: None, sessions: SessionFactory
) -> None:
    await browser.see("/console/sign-in")
    pages = [
        await browser.send("/console/sign-in", login=login, password="not the password at all")
        for login in ("manager-here", "nobody-at-all")
    ]
    assert [page.status_code for page in pages] == [401, 401]
    assert pages[0].text.replace("manager-here", "") == pages[1].text.replace("nobody-at-all", "")
    assert "not the password" not in pages[0].text
    assert await count(sessions, "web_sessions") == 0


async def test_the_door_locks_after_five_tries_and_needs_its_token(
    browser: Browser, people: None, sessions: SessionFactory
) -> None:
    no_token = await browser.post("/console/sign-in", login="manager-here", password=PASSWORD)
    assert no_token.status_code == 403
    await browser.see("/console/sign-in")
    tries = [
        await browser.post("/console/sign-in", login="manager-here", password="x" * 12)
        for _ in range(6)
    ]
    assert [a.status_code for a in tries] == [401] * 5 + [429]
    right = await browser.post("/console/sign-in", login="manager-here", password=PASSWORD)
    assert (right.status_code, right.json()["code"]) == (429, "staff.sign_in_locked")
    assert await count(sessions, "web_sessions") == 0


async def test_a_manager_sees_the_own_stores(
    browser: Browser, platform: Platform, people: None
) -> None:
    here = (await (await signed_in(browser, "manager-here")).see("/console/pads")).text
    assert "小灶静安寺店" in here
    assert "小灶湖滨店" not in here
    everywhere = await signed_in(browser_of(platform), "manager-all")
    assert "小灶湖滨店" in (await everywhere.see("/console/pads")).text


async def test_everybody_begins_at_the_first_page_of_the_own_menu(
    browser: Browser, platform: Platform, people: None
) -> None:
    manager = await signed_in(browser, "manager-here")
    home = await manager.see("/console")
    assert (home.status_code, home.headers["location"]) == (302, "/console/pads")
    seller = await signed_in(browser_of(platform), "seller")
    nothing = await seller.see("/console")
    assert (nothing.status_code, "这里暂时没有您要办的事" in nothing.text) == (200, True)
    assert 'href="/console/pads"' not in nothing.text


async def test_who_manages_nothing_is_told_so(browser: Browser, people: None) -> None:
    page = await (await signed_in(browser, "seller")).see("/console/pads")
    assert (page.status_code, "这里由店长管理" in page.text) == (200, True)
    assert "小灶静安寺店" not in page.text


async def test_a_code_is_shown_once_with_its_qr(
    browser: Browser, people: None, sessions: SessionFactory, counter: Counter
) -> None:
    await signed_in(browser, "manager-here")
    answer = await browser.send("/console/pads/enrolments", store_id=counter.store.id)
    assert answer.status_code == 201
    found = CODE.search(answer.text)
    assert found
    assert '<svg class="qr"' in answer.text
    assert "style=" not in answer.text
    assert await count(sessions, "pad_enrolments") == 1
    assert not CODE.search((await browser.see("/console/pads")).text)


async def test_codes_are_for_the_own_stores_only(
    browser: Browser, people: None, sessions: SessionFactory, counter: Counter
) -> None:
    await signed_in(browser, "manager-here")
    for store_id in (counter.far_store.id, new_id()):
        answer = await browser.post("/console/pads/enrolments", store_id=store_id)
        assert (answer.status_code, answer.json()["code"]) == (403, "staff.role_missing")
    token, browser.csrf = browser.csrf, "0" * 64
    assert (
        await browser.post("/console/pads/enrolments", store_id=counter.store.id)
    ).status_code == 403
    browser.csrf = token
    assert await count(sessions, "pad_enrolments") == 0


async def test_revoking_takes_the_own_pad_out_at_once(
    browser: Browser, pad: Browser, people: None, sessions: SessionFactory, counter: Counter
) -> None:
    await signed_in(browser, "manager-here")
    foreign = await browser.post(f"/console/pads/{counter.far_pad.pad_id}/revocations")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "pad.not_found")
    assert await count(sessions, "pads", "revoked_at IS NOT NULL") == 0

    answer = await browser.send(f"/console/pads/{counter.pad.pad_id}/revocations")
    assert answer.headers["location"] == "/console/pads?done=revoked"
    assert "平板已停用" in (await browser.see(answer.headers["location"])).text
    assert (await pad.see("/pad/scan")).status_code == 303
    assert 'name="code"' in (await pad.see("/pad")).text


async def test_a_locked_clerk_is_shown_and_unlocked(
    browser: Browser,
    platform: Platform,
    pad: Browser,
    people: None,
    sessions: SessionFactory,
) -> None:
    await pad.post("/pad/lock")
    await pad.see("/pad")
    for _ in range(5):
        await pad.post("/pad/sign-in", login="clerk-here", pin="999999")
    assert await count(sessions, "staff_members", LOCKED) == 1

    await signed_in(browser, "manager-here")
    page = (await browser.see("/console/pads")).text
    unlock = re.search(r"/console/pads/unlockings/[0-9a-f-]{36}", page)
    assert unlock
    seller = await signed_in(browser_of(platform), "seller")
    refused = await seller.post(unlock.group())
    assert (refused.status_code, refused.json()["code"]) == (404, "staff.not_found")
    assert await count(sessions, "staff_members", LOCKED) == 1

    assert (await browser.send(unlock.group())).status_code == 303
    assert await count(sessions, "staff_members", LOCKED) == 0
    assert (await pad.post("/pad/sign-in", login="clerk-here", pin=PIN)).status_code == 200


async def test_signing_out_and_half_an_hour_of_nothing_end_the_session(
    browser: Browser, people: None, clock: FakeClock
) -> None:
    await signed_in(browser, "manager-here")
    clock.advance(minutes=29)
    assert (await browser.see("/console/pads")).status_code == 200
    clock.advance(minutes=31)
    assert (await browser.see("/console/pads")).status_code == 303
    await signed_in(browser, "manager-here")
    out = await browser.send("/console/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/console/sign-in")
    assert (await browser.see("/console/pads")).status_code == 303


async def test_english_is_complete(browser: Browser, people: None) -> None:
    door = await browser.see("/console/sign-in", **{"Accept-Language": "en"})
    assert '<html lang="en">' in door.text
    assert not re.search("[\u4e00-\u9fff]", door.text.replace("中文", ""))
