"""Scanning at the pad: what opens a visit, what is refused in place, whose visit it is."""

from uuid import UUID

import msgspec
from sqlalchemy import update

from o2o.crm.members import Member
from o2o.crm.staff import StaffRole
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.membership.actions.answer_held_visit import confirm_travel
from o2o.membership.rules.member_code import new_member_code
from o2o.membership.web.pad_views import PadVisitContext
from o2o.web.panels import Panel, Panels
from tests.factories.members import Counter, count
from tests.factories.pads import (
    Browser,
    browser_of,
    counter_platform,
    given_code,
    signed_in_at,
)
from tests.factories.staff import given_staff
from tests.fakes.clock import FakeClock

OPEN = "closed_at IS NULL"


async def test_a_code_opens_the_member_for_five_minutes(
    pad: Browser, code: str, sessions: SessionFactory
) -> None:
    answer = await pad.send("/pad/visits", scanned=f" {code[:4]} {code[4:]}\r\n")
    assert answer.status_code == 303
    assert await count(sessions, "counter_visits", OPEN) == 1

    page = (await pad.see(answer.headers["location"])).text
    assert 'data-balance-fen="10000"' in page
    assert 'data-seconds-left="300"' in page
    assert "普通会员" in page


async def test_the_page_shows_the_masked_member_and_no_more(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        member = await tx.get_one(Member, counter.member_id)
        member.name, member.phone = "欧阳修", "19900001234"
    page = (await pad.see(f"/pad/visits/{visit_id}")).text

    assert "欧**" in page
    assert "199****1234" in page
    assert "欧阳修" not in page
    assert "19900001234" not in page


async def test_what_is_no_member_code_is_said_in_place_and_spends_nothing(
    pad: Browser, code: str, sessions: SessionFactory
) -> None:
    wrong_digit = code[:-1] + str((int(code[-1]) + 1) % 10)
    refusals = {
        wrong_digit: (422, "code.checksum_wrong"),
        "134567890123456789": (422, "code.is_wechat_pay"),
        "2812345678901234": (422, "code.is_alipay"),
        "https://example.com/x": (422, "qr.unreadable"),
        "９" * 300: (422, "qr.unreadable"),
        "\x00\x01": (422, "qr.unreadable"),
        "http://127.0.0.1:8000/h5/a/card": (422, "qr.wrong_kind"),
    }
    for scanned, (status, fact) in refusals.items():
        answer = await pad.post("/pad/visits", scanned=scanned)
        assert (scanned, answer.status_code, answer.json()["code"]) == (scanned, status, fact)
    page = await pad.send("/pad/visits", scanned="134567890123456789")
    assert (page.status_code, "这是微信付款码" in page.text) == (422, True)
    assert await count(sessions, "counter_visits") == 0
    assert await count(sessions, "guess_counts") == 0


async def test_a_missing_or_endless_text_is_refused(pad: Browser, sessions: SessionFactory) -> None:
    assert (await pad.post("/pad/visits")).status_code == 422
    assert (await pad.post("/pad/visits", scanned="9" * 5000)).status_code == 422
    extra = await pad.post("/pad/visits", scanned="1", member_id="x")
    assert (extra.status_code, extra.json()["code"]) == (422, "field.not_allowed")
    assert await count(sessions, "counter_visits") == 0


async def test_a_spent_and_an_old_code_say_so(
    pad: Browser,
    code: str,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    assert (await pad.post("/pad/visits", scanned=code)).status_code == 200
    used = await pad.post("/pad/visits", scanned=code)
    assert (used.status_code, used.json()["code"]) == (409, "code.used")
    assert "12:00" in used.json()["message"]
    assert "小灶静安寺店" in used.json()["message"]

    old = await given_code(sessions, seal=seal, member_id=counter.member_id, clock=clock)
    clock.advance(seconds=61)
    expired = await pad.post("/pad/visits", scanned=old)
    assert (expired.status_code, expired.json()["code"]) == (410, "code.expired")
    assert await count(sessions, "counter_visits") == 1


async def test_guessing_locks_the_scanner_and_counts_down(pad: Browser, code: str) -> None:
    for _ in range(5):
        unknown = await pad.post("/pad/visits", scanned=new_member_code())
        assert unknown.json()["code"] == "code.unknown"
    locked = await pad.post("/pad/visits", scanned=new_member_code())
    assert (locked.status_code, locked.json()["code"]) == (429, "pad.scan_locked")
    assert locked.headers["retry-after"] == "60"

    page = await pad.send("/pad/visits", scanned=code)
    assert page.status_code == 429
    assert 'data-retry-after="60"' in page.text


async def test_scanning_needs_the_token_of_the_page(
    pad: Browser, code: str, sessions: SessionFactory
) -> None:
    pad.csrf = "0" * 64
    for answer in (
        await pad.send("/pad/visits", scanned=code),
        await pad.post("/pad/visits", scanned=code),
    ):
        assert answer.status_code == 403
    assert await count(sessions, "counter_visits") == 0


async def test_another_pads_visit_is_nobodys_here(
    pad: Browser, far_pad: Browser, visit_id: UUID, sessions: SessionFactory
) -> None:
    page = await far_pad.see(f"/pad/visits/{visit_id}")
    assert page.status_code == 403
    assert "data-balance-fen" not in page.text
    told = await far_pad.client.get(
        f"/pad/visits/{visit_id}", headers={"Accept": "application/json"}
    )
    assert told.json()["code"] == "visit.not_yours"

    ended = await far_pad.post(f"/pad/visits/{visit_id}/end")
    assert ended.status_code == 200
    assert await count(sessions, "counter_visits", OPEN) == 1
    unknown = await pad.see(f"/pad/visits/{new_id()}")
    assert unknown.status_code == 403


async def test_after_five_minutes_the_page_asks_for_another_scan(
    pad: Browser, visit_id: UUID, clock: FakeClock
) -> None:
    for _ in range(3):
        clock.advance(seconds=100)
        await pad.client.get("/pad/presence")
    page = await pad.see(f"/pad/visits/{visit_id}")

    assert page.status_code == 410
    assert 'name="scanned"' in page.text
    assert "这次服务已结束" in page.text
    assert "data-balance-fen" not in page.text


async def test_ending_a_visit_closes_it(
    pad: Browser, visit_id: UUID, sessions: SessionFactory
) -> None:
    answer = await pad.send(f"/pad/visits/{visit_id}/end")
    assert (answer.status_code, answer.headers["location"]) == (303, "/pad/scan")
    assert await count(sessions, "counter_visits", OPEN) == 0
    assert (await pad.see(f"/pad/visits/{visit_id}")).status_code == 410


async def test_a_scan_far_away_waits_for_the_members_yes(
    pad: Browser,
    far_pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    assert await count(sessions, "counter_visits", OPEN) == 1
    clock.advance(seconds=90)
    code = await given_code(sessions, seal=seal, member_id=counter.member_id, clock=clock)
    held = await far_pad.send("/pad/visits", scanned=code)
    assert held.status_code == 303
    page = await far_pad.see(held.headers["location"])
    assert (page.status_code, "请会员在手机上确认" in page.text) == (200, True)
    assert "data-balance-fen" not in page.text

    held_id = UUID(held.headers["location"].removeprefix("/pad/visits/"))
    async with transaction(sessions) as tx:
        await confirm_travel(tx, visit_id=held_id, member_id=counter.member_id, now=clock.now())
    assert "data-balance-fen" in (await far_pad.see(held.headers["location"])).text


async def test_whoever_lost_the_role_is_out_with_the_next_step(
    pad: Browser, code: str, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        of_clerk = StaffRole.staff_id == counter.pad.staff_id
        await tx.execute(update(StaffRole).where(of_clerk).values(role=StaffRoleName.KITCHEN))
    answer = await pad.post("/pad/visits", scanned=code)
    assert (answer.status_code, answer.json()["code"]) == (403, "staff.role_missing")
    assert await count(sessions, "counter_visits") == 0


async def test_a_clerk_of_another_store_cannot_use_this_pads_session(
    pad: Browser, sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        stranger = await given_staff(tx, counter.brand, store_id=counter.far_store.id)
    by = msgspec.structs.replace(counter.pad, staff_id=stranger)
    cookies = await signed_in_at(by, sessions, seal=seal, clock=clock)
    pad.client.cookies.clear()
    pad.client.cookies.update(cookies)
    answer = await pad.post("/pad/visits", scanned="1")
    assert (answer.status_code, answer.json()["code"]) == (401, "pad.locked")


async def test_panels_of_other_domains_stand_beside_the_member(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock, code: str
) -> None:
    asked: list[PadVisitContext] = []

    async def load(_: Tx, context: PadVisitContext) -> dict[str, str] | None:
        asked.append(context)
        return {"title": "忌口"} if len(asked) == 1 else None

    panels = Panels()
    panels.add("pad.visit", Panel(name="regulars", template="pad/_icons.html", load=load))
    browser = browser_of(counter_platform(sessions, seal=seal, clock=clock, panels=panels))
    await browser.become(await signed_in_at(counter.pad, sessions, seal=seal, clock=clock))
    page = (await browser.post("/pad/visits", scanned=code)).json()["next"]

    assert 'data-panel="regulars"' in (await browser.see(page)).text
    assert 'data-panel="regulars"' not in (await browser.see(page)).text
    assert (asked[0].member_id, asked[0].store_id) == (counter.member_id, counter.store.id)
