"""Joining, the card and the statements in a real browser, with scripts and without."""

import asyncio
import re
from datetime import timedelta

from playwright.async_api import Page, Route, expect

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from o2o.kernel.ids import BrandId, StoreId
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from tests.browser.diner.conftest import OpenAs
from tests.factories.diners import DinerSession
from tests.factories.ledger import Books, debit
from tests.factories.members import Counter, count


async def given_debits(sessions: SessionFactory, counter: Counter, how_many: int) -> None:
    now = SystemClock().now() - timedelta(hours=1)
    books = Books(
        brand_id=BrandId(counter.brand.id),
        store_id=StoreId(counter.store.id),
        other_store_id=StoreId(counter.far_store.id),
        member_id=counter.member_id,
        other_member_id=counter.member_id,
    )
    async with transaction(sessions) as tx:
        done = await debit_stored_value(tx, [debit(books, 10, now=now) for _ in range(how_many)])
    assert not any(isinstance(outcome, Exception) for outcome in done)


async def test_a_newcomer_joins_with_one_tick_and_one_tap(
    open_as: OpenAs, newcomer: DinerSession, sessions: SessionFactory
) -> None:
    page = await open_as(newcomer, "card")
    join = page.get_by_role("button", name="领取会员卡")

    await join.click()  # Without the tick the browser itself holds the form back.
    message = await page.locator("#membership").evaluate("(box) => box.validationMessage")
    assert message == "请先勾选同意《会员章程与隐私说明》，再领取会员卡。"
    assert await count(sessions, "members") == 1

    await page.get_by_label("我已阅读并同意").check()
    await join.dblclick()

    await expect(page.get_by_text("领卡成功，欢迎您！")).to_be_visible()
    await expect(page.get_by_role("link", name="出示会员码")).to_be_visible()
    assert await count(sessions, "members") == 2
    assert await count(sessions, "consents", "purpose = 'marketing'") == 0


async def test_everything_works_without_scripts(
    open_as: OpenAs,
    newcomer: DinerSession,
    member: DinerSession,
    counter: Counter,
    *,
    sessions: SessionFactory,
) -> None:
    await given_debits(sessions, counter, 25)
    page = await open_as(newcomer, "card", java_script_enabled=False)
    await page.get_by_label("我已阅读并同意").check()
    await page.get_by_role("button", name="领取会员卡").click()
    await page.get_by_role("link", name="出示会员码").click()
    await page.get_by_role("button", name="立即更换").click()
    digits = await page.locator(".code-digits").inner_text()
    assert re.fullmatch(r"90\d{18}", re.sub(r"\s", "", digits))

    wallet = await open_as(member, "wallet", java_script_enabled=False)
    assert await wallet.locator(".statement-row").count() == 20
    await wallet.get_by_role("link", name="加载更多").click()
    assert await wallet.locator(".statement-row").count() == 6
    await expect(wallet.get_by_text("没有更早的记录了")).to_be_visible()


async def test_more_lines_come_in_place_and_the_reader_goes_on_there(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    await given_debits(sessions, counter, 45)
    page = await open_as(member, "wallet")
    rows = page.locator(".statement-row")

    await page.get_by_role("link", name="加载更多").click()
    await expect(rows).to_have_count(40)
    assert await rows.nth(20).evaluate("(row) => row === document.activeElement")
    await page.get_by_role("link", name="加载更多").click()

    await expect(rows).to_have_count(46)
    await expect(page.get_by_text("没有更早的记录了")).to_be_visible()
    assert page.url.endswith("/wallet")


async def test_the_card_follows_the_books_while_it_is_open(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    page = await open_as(member, "card")
    balance = page.locator(".face-balance")
    await expect(balance).to_have_text("¥100.00")
    await page.get_by_text("查看本金与赠送").click()

    await given_debits(sessions, counter, 1)

    await expect(balance).to_have_text("¥99.90")
    # What the reader has opened stays open, and is up to date too.
    await expect(page.locator(".parts-figures dd").first).to_have_text("¥99.90")
    assert await page.locator("details.parts").evaluate("(details) => details.open")


async def test_a_stream_that_was_refused_is_opened_again_and_what_was_missed_is_read(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    page = await open_as(member, "me")
    # None of these streams says anything; each that is taken ends at once.
    answers = iter([(200, "retry: 100\n\n"), (404, ""), (200, "retry: 60000\n\n")])
    refused = asyncio.Event()

    async def answer(route: Route) -> None:
        status, body = next(answers)
        if status == 404:
            await given_debits(sessions, counter, 1)
            refused.set()
        await route.fulfill(status=status, body=body, content_type="text/event-stream")

    await page.route("**/live", answer)
    await page.goto(f"/h5/{member.slug}/card")
    balance = page.locator(".face-balance")
    await expect(balance).to_have_text("¥100.00")
    await refused.wait()

    await expect(balance).to_have_text("¥99.90", timeout=15_000)


async def test_choices_are_taken_in_one_tap(open_as: OpenAs, member: DinerSession) -> None:
    page = await open_as(member, "me")

    await page.get_by_role("switch", name="大字版").click()
    await expect(page.locator("html")).to_have_class("wx-root large-type")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("switch", name="Large type")).to_be_checked()
    await page.get_by_role("switch", name="Offers and events").click()
    await expect(page.get_by_role("switch", name="Offers and events")).to_be_checked()
    await expect(page.get_by_role("status")).to_have_text("Saved")


async def told(page: Page) -> dict[str, dict[str, str]]:
    # Asked from here: a page of ours may not evaluate what is to be waited for.
    for _ in range(200):
        if await page.evaluate("Boolean(window.toldWeChat && window.toldWeChat.moments)"):
            break
        await page.wait_for_timeout(50)
    answer: dict[str, dict[str, str]] = await page.evaluate(
        "JSON.parse(JSON.stringify(window.toldWeChat))"
    )
    return answer


async def test_wechat_is_told_what_a_forwarded_card_looks_like(
    open_as: OpenAs, member: DinerSession, site: str, seal: Seal
) -> None:
    asked: list[str] = []
    signed = {"appId": "wx1", "timestamp": 1, "nonceStr": "n", "signature": "s"}

    async def sign(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(json=signed)

    page = await open_as(member, "me")
    await page.route("**/jssdk?*", sign)
    await page.goto(f"/h5/{member.slug}/card#top")
    data = await told(page)

    card = f"{site}/h5/{member.slug}/card"
    assert len(asked) == 1
    assert asked[0].endswith("url=" + card.replace(":", "%3A").replace("/", "%2F"))
    assert {name: data["config"][name] for name in signed} == signed
    for place in ("friend", "moments"):
        assert data[place]["title"] == "江南小灶会员卡"
        assert data[place]["link"] == card
    picture = await page.request.get(data["friend"]["imgUrl"])
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
