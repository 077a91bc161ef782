"""The console's pages of a programme: tried, saved over what was seen, refused in the page."""

import re
from collections.abc import AsyncGenerator
from html import unescape

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from o2o.membership.web import programme_console
from o2o.web.platform import Platform
from tests.factories.members import Counter, count
from tests.factories.pads import Browser, browser_of, counter_platform
from tests.factories.programme import People, charge, points_of
from tests.factories.staff import PASSWORD
from tests.fakes.clock import NOON, FakeClock

RULES = "/console/programme"
PACKAGES = "/console/programme/packages"
ADJUSTMENTS = "/console/adjustments"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture
def platform(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> Platform:
    platform = counter_platform(sessions, seal=seal, clock=clock)
    programme_console.add_to_menu(platform.console_menu)
    return platform


@pytest.fixture
async def browser(platform: Platform) -> AsyncGenerator[Browser, None]:
    fresh = browser_of(platform)
    yield fresh
    await fresh.client.aclose()


async def signed_in(browser: Browser, login: str, page: str = RULES) -> Browser:
    browser.client.cookies.clear()
    await browser.see("/console/sign-in")
    answer = await browser.send("/console/sign-in", login=login, password=PASSWORD)
    assert answer.status_code == 303, answer.text
    await browser.see(page)
    return browser


def effect_form(page: str) -> dict[str, str]:
    """What the form below the effect would send."""
    [effect] = re.findall(r'<section class="surface effect".*?</section>', page, re.DOTALL)
    return {name: unescape(value) for name, value in HIDDEN.findall(effect) if name != "csrf"}


async def test_rules_are_tried_and_then_saved(
    browser: Browser, counter: Counter, people: People, sessions: SessionFactory
) -> None:
    await charge(sessions, counter, 12_345, now=NOON)
    await signed_in(browser, "marketer")
    page = (await browser.see(RULES)).text
    assert 'id="f-points_per_yuan" name="points_per_yuan" type="text" value="1"' in page
    typed = {
        "points_per_yuan": "2",
        "points_valid_months": "",
        "joining_points": "0",
        "visit_points": "0",
        "no_pin_yuan": "200",
        "no_pin_daily_yuan": "1000",
        "draw_order": "proportional",
    }
    tried = await browser.send(f"{RULES}/preview", **typed)
    assert tried.status_code == 200
    assert "1 笔消费" in tried.text
    assert "将发放 246 分；现在的规则是 123 分" in tried.text
    assert await count(sessions, "programmes", "points_per_yuan = 1 AND version = 1") == 1

    form = effect_form(tried.text)
    saved = await browser.send(RULES, **form)
    assert saved.headers["location"] == f"{RULES}?done=saved"
    again = await browser.send(RULES, **form)
    assert (again.status_code, "有人在您之后保存过" in again.text) == (409, True)
    wrong = await browser.send(f"{RULES}/preview", **{**typed, "visit_points": "many"})
    assert (wrong.status_code, 'class="surface effect"' in wrong.text) == (422, False)
    assert 'value="many"' in wrong.text
    where = "points_per_yuan = 2 AND points_valid_months IS NULL AND version = 2"
    assert await count(sessions, "programmes", where) == 1


async def test_whoever_only_reads_saves_nothing(
    browser: Browser, counter: Counter, people: People, sessions: SessionFactory
) -> None:
    await signed_in(browser, "finance")
    page = await browser.see(RULES)
    assert (page.status_code, "预览影响" in page.text) == (200, False)
    refused = await browser.post(f"{PACKAGES}", version=1, name="x", principal_yuan="1")
    assert (refused.status_code, refused.json()["code"]) == (403, "staff.role_missing")
    assert (await browser.see(f"{PACKAGES}/new")).status_code == 403
    await signed_in(browser, "agent", ADJUSTMENTS)
    assert (await browser.see(RULES)).status_code == 403
    assert await count(sessions, "programmes", "version = 1") == 1
    assert await count(sessions, "top_up_packages") == 0


async def test_tiers_and_packages_go_from_form_to_table(
    browser: Browser, counter: Counter, people: People, sessions: SessionFactory
) -> None:
    await signed_in(browser, "marketer")
    page = (await browser.see(f"{RULES}/tiers")).text
    fields = dict(re.findall(r' name="(\w+_\d+)"[^>]*? value="([^"]*)"', page))
    fields |= {
        "name_1": "银卡<b>",
        "spend_yuan_1": "1000",
        "discount_percent_1": "2.5",
        "multiplier_1": "1.25",
        "visits_from_1": "12",
    }
    tried = await browser.send(f"{RULES}/tiers/preview", **fields)
    assert "0 名会员将立即升级" in tried.text
    assert "银卡<b>" not in tried.text
    saved = await browser.send(f"{RULES}/tiers", **effect_form(tried.text))
    assert saved.headers["location"] == f"{RULES}/tiers?done=saved"
    where = (
        "name = '银卡<b>' AND spend_from_fen = 100000 AND discount_bp = 250"
        " AND points_multiplier_bp = 12500 AND visits_from = 12"
    )
    assert await count(sessions, "tiers", where) == 1

    package = {
        "name": "充500送60",
        "principal_yuan": "500",
        "bonus_yuan": "60",
        "ends_on": "2026-12-31",
    }
    tried = await browser.send(f"{PACKAGES}/preview", **package)
    offered = await browser.send(PACKAGES, **effect_form(tried.text))
    assert offered.headers["location"] == f"{PACKAGES}?done=offered"
    # The last day is whole: the end is the midnight after it, in Shanghai.
    assert await count(sessions, "top_up_packages", "ends_at = '2026-12-31 16:00+00'") == 1
    assert "2026年12月31日" in (await browser.see(PACKAGES)).text
    over = await browser.send(f"{PACKAGES}/preview", **{**package, "bonus_yuan": "501"})
    assert (over.status_code, "充值套餐填写有误" in over.text) == (422, True)


async def test_a_correction_from_proposal_to_books(
    browser: Browser, counter: Counter, people: People, sessions: SessionFactory
) -> None:
    async with transaction(sessions) as tx:
        card_no = str(await tx.scalar(text("SELECT card_no FROM cards")))
    await signed_in(browser, "agent", ADJUSTMENTS)
    assert "没有找到这个卡号" in (await browser.see(f"{ADJUSTMENTS}/new?card_no=1")).text
    page = (await browser.see(f"{ADJUSTMENTS}/new?card_no={card_no}")).text
    assert "储值本金" not in page
    typed = {
        "request_id": new_request_id(),
        "card_no": card_no,
        "kind": "points",
        "direction": "up",
        "amount": "501",
        "store_id": "",
        "reason": "十一月三日漏记积分",
    }
    over = await browser.send(ADJUSTMENTS, **typed)
    assert (over.status_code, "还可申请 500 积分" in over.text) == (403, True)
    done = await browser.send(ADJUSTMENTS, **{**typed, "amount": "500"})
    assert done.headers["location"] == f"{ADJUSTMENTS}?done=proposed"
    async with transaction(sessions) as tx:
        adjustment_id = await tx.scalar(text("SELECT id FROM adjustments"))
    one = f"{ADJUSTMENTS}/{adjustment_id}"
    assert "批准并入账" not in (await browser.see(one)).text
    refused = await browser.post(f"{one}/approvals")
    assert (refused.status_code, refused.json()["code"]) == (403, "staff.role_missing")
    await signed_in(browser, "finance", ADJUSTMENTS)
    assert "批准并入账" in (await browser.see(one)).text
    approved = await browser.send(f"{one}/approvals")
    assert approved.headers["location"] == f"{one}?done=approved"
    assert "已入账" in (await browser.see(one)).text
    assert await points_of(sessions, counter.member_id) == 500
    # A manager of one store does not read what concerns no store.
    await signed_in(browser, "store_manager", ADJUSTMENTS)
    assert (await browser.see(one)).status_code == 403
