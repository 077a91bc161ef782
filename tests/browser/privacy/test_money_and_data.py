"""On a phone: what a refund comes to, money for a friend, a copy of the data, and goodbye."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from o2o.kernel.ids import MemberId
from tests.browser.diner.conftest import OpenAs
from tests.browser.diner.test_diner_everyone import serious_findings
from tests.factories.diners import DinerSession, given_diner
from tests.factories.members import Counter, balance_of, count, given_balance, given_member

PIN = "730914"
PAGES = (
    "refunds",
    "pass-on",
    "points",
    "pin",
    "privacy",
    "privacy/profile",
    "privacy/export",
    "privacy/delete",
)


async def is_sound(page: Any) -> None:
    """Nothing serious for anybody, and nothing wider than the phone."""
    assert await serious_findings(page) == [], page.url
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375, page.url


async def test_a_member_gives_money_away_and_asks_for_the_rest(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        friend = await given_member(tx, counter.brand)
        await given_balance(
            tx, MemberId(counter.member_id), counter.store.id, principal_fen=30_000, bonus_fen=3_000
        )
        card_no = await tx.scalar(
            text("SELECT card_no FROM cards WHERE member_id = :id"), {"id": friend}
        )
    page = await open_as(member, "pin")
    await page.fill("#set-new", PIN)
    await page.fill("#set-again", PIN)
    await page.click("main form button[type=submit]")
    await page.wait_for_url("**/pin?told=set")

    await page.goto(f"/h5/{member.slug}/pass-on")
    await page.fill("#amount", "30")
    await page.fill("#receiver", str(card_no))
    await page.fill("#pass-pin", PIN)
    await page.click("form[aria-labelledby=offer] button[type=submit]")
    await page.wait_for_url("**/pass-on?told=offered")
    await is_sound(page)

    other = await given_diner(
        sessions,
        Counter(
            **{name: getattr(counter, name) for name in counter.__struct_fields__}
            | {"member_id": friend}
        ),
        seal=seal,
        clock=SystemClock(),
    )
    theirs = await open_as(other, "pass-on", color_scheme="dark")
    await is_sound(theirs)
    await theirs.click("form[action$=accept] button")
    await theirs.wait_for_url("**/pass-on?told=accepted")
    assert await balance_of(sessions, friend) == 3_000

    await page.goto(f"/h5/{member.slug}/refunds")
    formula = await page.locator(".formula").first.inner_text()
    assert "300.00" in formula
    await page.fill("input[name=pay_pin]", PIN)
    await page.click("form[aria-labelledby=ask] button[type=submit]")
    await page.wait_for_url("**/refunds?told=asked")
    await is_sound(page)
    assert await count(sessions, "refund_requests", "status = 'asked'") == 1


async def test_a_copy_then_goodbye(
    open_as: OpenAs, member: DinerSession, sessions: SessionFactory
) -> None:
    page = await open_as(member, "privacy")
    for path in PAGES:
        await page.goto(f"/h5/{member.slug}/{path}")
        await is_sound(page)

    await page.goto(f"/h5/{member.slug}/privacy/export")
    await page.click("form[aria-labelledby=ask] button[type=submit]")
    await page.wait_for_url("**/export?told=asked")
    ready = page.locator("form[aria-labelledby=ready] button[type=submit]")
    for _ in range(40):
        if await ready.count():
            break
        await page.wait_for_timeout(250)
        await page.goto(f"/h5/{member.slug}/privacy/export")
    await ready.click()
    link = await page.locator("#link").input_value()
    await page.goto(link)
    await is_sound(page)
    async with page.expect_download() as download:
        await page.click("main form button")
    file = await download.value
    assert file.suggested_filename == "my-data.zip"
    with ZipFile(await file.path()) as copy:
        assert copy.testzip() is None
        kinds = {Path(name).suffix for name in copy.namelist()}
        assert {".json", ".csv", ".html"} <= kinds

    await page.goto(f"/h5/{member.slug}/privacy/delete")
    if await page.locator("input[name=gives_up]").count():
        await page.check("input[name=gives_up]")
    await page.fill("#confirmation", "注销会员")
    await page.click("main form button[type=submit]")
    await page.wait_for_selector("text=已注销")
    await is_sound(page)
    assert await count(sessions, "members", "status = 'deleted'") == 1
    assert await count(sessions, "fans", f"openid = '{member.openid}'") == 0
