"""The pad's door: enrolling with a one-time code, signing in with a PIN, locking."""

import httpx
import pytest

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.staff.actions.create_pad_enrolment import create_pad_enrolment
from o2o.staff.actions.revoke_pad import revoke_pad
from o2o.staff.web.demo import DemoStaff
from o2o.web.platform import Platform
from tests.factories.members import Counter, count
from tests.factories.pads import Browser, browser_of, counter_platform, signed_in_at
from tests.factories.staff import PIN, given_staff
from tests.fakes.clock import FakeClock


async def given_people(sessions: SessionFactory, counter: Counter) -> None:
    async with transaction(sessions) as tx:
        for login, role, store in (
            ("clerk-here", StaffRoleName.CLERK, counter.store.id),
            ("clerk-far", StaffRoleName.CLERK, counter.far_store.id),
            ("manager-here", StaffRoleName.MANAGER, counter.store.id),
            ("cook-here", StaffRoleName.KITCHEN, counter.store.id),
            ("seller", StaffRoleName.MARKETER, None),
        ):
            await given_staff(tx, counter.brand, role=role, store_id=store, login=login)


@pytest.fixture
async def manager_code(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> str:
    """Eight digits that a manager of the first store made."""
    async with transaction(sessions) as tx:
        manager = await given_staff(
            tx, counter.brand, role=StaffRoleName.MANAGER, store_id=counter.store.id
        )
        return await create_pad_enrolment(
            tx, seal=seal, store_id=counter.store.id, by=manager, now=clock.now()
        )


@pytest.fixture
async def locked(
    browser: Browser, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> Browser:
    """A pad of the first store that nobody is signed in at, looking at its lock screen."""
    await given_people(sessions, counter)
    cookies = await signed_in_at(counter.pad, sessions, seal=seal, clock=clock)
    browser.client.cookies.set("o2o_pad_device", cookies["o2o_pad_device"])
    await browser.see("/pad")
    return browser


def location(answer: httpx.Response) -> str:
    return answer.headers["location"]


async def test_a_browser_that_is_no_pad_is_asked_for_the_code(
    browser: Browser, sessions: SessionFactory
) -> None:
    answer = await browser.see("/pad")

    assert answer.status_code == 200
    assert 'name="code"' in answer.text
    assert "体验模式" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert await count(sessions, "pads") == 0


async def test_a_code_enrols_once_and_leads_to_the_names_of_this_store(
    browser: Browser, platform: Platform, sessions: SessionFactory, manager_code: str
) -> None:
    before = await count(sessions, "pads")
    await browser.see("/pad")
    typed = f"{manager_code[:4]} {manager_code[4:]}"
    answer = await browser.send("/pad/enrolments", code=typed, name="前台1")
    assert (answer.status_code, location(answer)) == (303, "/pad")

    lock_screen = await browser.see("/pad")
    assert "小灶静安寺店" in lock_screen.text
    assert "小灶湖滨店" not in lock_screen.text
    assert await count(sessions, "pads", "name = '前台1'") == 1

    other = browser_of(platform)
    await other.see("/pad")
    again = await other.post("/pad/enrolments", code=manager_code, name="another")
    assert (again.status_code, again.json()["code"]) == (410, "pad.enrolment_invalid")
    assert await count(sessions, "pads") == before + 1


async def test_a_wrong_code_is_told_in_the_page(browser: Browser) -> None:
    await browser.see("/pad")
    answer = await browser.send("/pad/enrolments", code="00000000", name="二楼")

    assert answer.status_code == 410
    assert "登记码无效" in answer.text
    assert 'value="二楼"' in answer.text


async def test_forms_before_signing_in_need_their_page(
    browser: Browser, locked: Browser, sessions: SessionFactory
) -> None:
    for path in ("/pad/enrolments", "/pad/demo-enrolments", "/pad/sign-in", "/pad/language"):
        answer = await locked.client.post(
            path,
            data={"code": "12345678", "login": "clerk-here", "pin": PIN, "csrf": "0" * 64},
            headers={"Accept": "application/json"},
        )
        assert (path, answer.status_code) == (path, 403)
        assert answer.json()["code"] == "csrf.token_missing"
    assert await count(sessions, "web_sessions", "ended_at IS NULL") == 1


async def test_the_lock_screen_names_who_works_at_this_counter(locked: Browser) -> None:
    page = (await locked.see("/pad")).text

    assert 'value="clerk-here"' in page
    assert 'value="manager-here"' in page
    for elsewhere in ("clerk-far", "cook-here", "seller"):
        assert elsewhere not in page
    assert PIN not in page


async def test_the_right_pin_opens_the_pad(locked: Browser) -> None:
    answer = await locked.send("/pad/sign-in", login="clerk-here", pin=PIN)
    assert (answer.status_code, location(answer)) == (303, "/pad/scan")
    assert "HttpOnly" in answer.headers["set-cookie"]

    assert (await locked.see("/pad/scan")).status_code == 200
    again = await locked.see("/pad")
    assert (again.status_code, location(again)) == (302, "/pad/scan")


async def test_wrong_pin_unknown_login_and_other_store_open_nothing(
    locked: Browser, sessions: SessionFactory
) -> None:
    before = await count(sessions, "web_sessions")
    refusals = {
        ("clerk-here", "000001"): (401, "staff.sign_in_refused"),
        ("nobody", PIN): (401, "staff.sign_in_refused"),
        ("", PIN): (401, "staff.sign_in_refused"),
        ("clerk-far", PIN): (403, "staff.wrong_store"),
        ("seller", PIN): (403, "staff.wrong_store"),
    }
    for (login, pin), (status, code) in refusals.items():
        answer = await locked.post("/pad/sign-in", login=login, pin=pin)
        assert (login, answer.status_code, answer.json()["code"]) == (login, status, code)
        assert "pad=" not in answer.headers.get("set-cookie", "")
    assert await count(sessions, "web_sessions") == before
    page = await locked.see("/pad/scan")
    assert (page.status_code, location(page)) == (303, "/pad")


async def test_a_refused_pin_stays_on_the_page_with_the_name_chosen(locked: Browser) -> None:
    answer = await locked.send("/pad/sign-in", login="clerk-here", pin="999999")

    assert answer.status_code == 401
    assert "账号或密码（PIN）不对" in answer.text
    assert 'value="clerk-here" required checked' in answer.text
    assert "999999" not in answer.text


async def test_five_wrong_pins_lock_and_the_screen_says_whom_to_ask(locked: Browser) -> None:
    answers = [
        await locked.post("/pad/sign-in", login="clerk-here", pin="999999") for _ in range(5)
    ]
    assert [a.json()["code"] for a in answers] == ["staff.sign_in_refused"] * 4 + [
        "staff.pin_locked"
    ]

    right = await locked.post("/pad/sign-in", login="clerk-here", pin=PIN)
    assert (right.status_code, right.json()["code"]) == (403, "staff.pin_locked")
    assert "已锁定" in (await locked.see("/pad")).text


async def test_locking_ends_the_session_at_once(pad: Browser, sessions: SessionFactory) -> None:
    answer = await pad.send("/pad/lock")
    assert (answer.status_code, location(answer)) == (303, "/pad")
    assert await count(sessions, "web_sessions", "ended_at IS NULL") == 0


async def test_an_idle_pad_is_locked_by_the_server_too(pad: Browser, clock: FakeClock) -> None:
    clock.advance(seconds=119)
    assert (await pad.client.get("/pad/presence")).status_code == 204
    clock.advance(seconds=119)
    assert (await pad.client.get("/pad/presence")).status_code == 204
    clock.advance(seconds=121)
    away = await pad.client.get("/pad/presence", headers={"Accept": "application/json"})
    assert (away.status_code, away.json()["code"]) == (401, "pad.locked")


async def test_a_revoked_pad_is_no_pad_any_more(
    pad: Browser, sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        manager = await given_staff(
            tx, counter.brand, role=StaffRoleName.MANAGER, store_id=counter.store.id
        )
        await revoke_pad(tx, pad_id=counter.pad.pad_id, by=manager, now=clock.now())

    gone = await pad.post("/pad/visits", scanned="1")
    assert (gone.status_code, gone.json()["code"]) == (401, "pad.not_enrolled")
    assert 'name="code"' in (await pad.see("/pad")).text


async def test_demo_enrolment_exists_in_the_demo_only(
    browser: Browser, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    before = await count(sessions, "pads")
    await browser.see("/pad")
    refused = await browser.send("/pad/demo-enrolments", store_id=counter.store.id)
    assert refused.status_code == 404
    assert await count(sessions, "pads") == before

    demo = browser_of(counter_platform(sessions, seal=seal, clock=clock, demo=True))
    assert "小灶静安寺店" in (await demo.see("/pad")).text
    taken = await demo.send("/pad/demo-enrolments", store_id=counter.store.id)
    assert (taken.status_code, location(taken)) == (303, "/pad")
    assert await count(sessions, "pads") == before + 1


async def test_the_demo_tells_its_pins_and_nobody_else_does(
    locked: Browser, sessions: SessionFactory, seal: Seal, clock: FakeClock
) -> None:
    known = DemoStaff(
        login="clerk-here", name="陈洁", role="clerk", place="", pin="602817", password="x" * 12
    )
    state = {"demo_staff": [known]}
    for demo in (True, False):
        platform = counter_platform(sessions, seal=seal, clock=clock, demo=demo)
        browser = browser_of(platform, state=state)
        browser.client.cookies.update(locked.client.cookies)
        assert ("602817" in (await browser.see("/pad")).text) is demo
        assert ("x" * 12 in (await browser.see("/console/sign-in")).text) is demo


async def test_the_language_of_choice_stays(browser: Browser) -> None:
    await browser.see("/pad")
    answer = await browser.send("/pad/language", language="en")
    assert (answer.status_code, location(answer)) == (303, "/pad")
    assert "Enrol this device" in (await browser.see("/pad")).text
    wrong = await browser.post("/pad/language", language="xx")
    assert wrong.status_code == 422
