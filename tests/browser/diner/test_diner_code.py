"""The member code in a real browser: shown, scanned, charged, renewed, and without a network."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from uuid import UUID

import pytest
from playwright.async_api import Error, Page, Route, expect
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.clock import SystemClock
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.issue_member_code import code_hash
from o2o.membership.errors import UnlikelyTravel
from o2o.membership.errors_counter import ConfirmationNeeded
from o2o.membership.till import Till
from tests.browser.diner.conftest import OpenAs
from tests.factories.diners import DinerSession
from tests.factories.members import Counter, count


def charge_of(counter: Counter, till: Till, *, visit_id: UUID) -> Callable[..., Awaitable[object]]:
    """Charges the member in a visit: (request_id, amount_fen)."""
    return partial(till.charge, member_id=counter.member_id, visit_id=visit_id, by=counter.pad)


async def digits_of(page: Page) -> str:
    await expect(page.locator("#code")).to_have_attribute("data-state", "shown")
    text = await page.locator(".code-digits").inner_text()
    return re.sub(r"\s", "", text)


async def test_the_phone_says_where_it_was_scanned_and_what_was_charged(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory, *, seal: Seal
) -> None:
    page = await open_as(member, "code")
    digits = await digits_of(page)
    spoken = await page.locator(".code-digits").get_attribute("aria-label")
    assert spoken == "会员码数字：" + " ".join(digits)
    till = Till(sessions=sessions, seal=seal, clock=SystemClock())

    opened = await till.open_visit(digits, by=counter.pad)
    await expect(page.get_by_text("已在小灶静安寺店出示")).to_be_visible()
    charge = charge_of(counter, till, visit_id=opened.visit_id)
    await charge(request_id=new_request_id(), amount_fen=3_800)

    await expect(page.get_by_text("已扣款 ¥38.00")).to_be_visible()
    await expect(page.get_by_text("余额 ¥62.00")).to_be_visible()
    await page.get_by_role("button", name="再出示一次").click()
    assert await digits_of(page) != digits
    await till.drain()


async def test_what_was_charged_and_asked_while_the_stream_was_away_is_told(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory, *, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE programmes SET no_pin_fen_max = 5000"))
    page = await open_as(member, "me")
    # Neither of these streams says anything; the first one ends and is asked for again.
    answers = iter(["retry: 100\n\n", "retry: 60000\n\n"])
    till = Till(sessions=sessions, seal=seal, clock=SystemClock())
    is_away, may_return = asyncio.Event(), asyncio.Event()

    async def answer(route: Route) -> None:
        body = next(answers)
        if "60000" in body:
            is_away.set()
            await may_return.wait()
        await route.fulfill(body=body, content_type="text/event-stream")

    await page.route("**/live", answer)
    await page.goto(f"/h5/{member.slug}/code")
    digits = await digits_of(page)
    await is_away.wait()
    visit = await till.open_visit(digits, by=counter.pad)
    charge = charge_of(counter, till, visit_id=visit.visit_id)
    await charge(request_id=new_request_id(), amount_fen=3_800)
    with pytest.raises(ConfirmationNeeded):
        await charge(request_id=new_request_id(), amount_fen=6_000)
    may_return.set()

    await expect(page.get_by_text("余额有变动")).to_be_visible()
    await expect(page.get_by_text("余额 ¥62.00")).to_be_visible()
    await expect(page.get_by_text("小灶静安寺店有一笔付款等您确认")).to_be_visible()
    await page.get_by_role("link", name="去确认").click()
    await expect(page.get_by_text("¥60.00")).to_be_visible()
    await till.drain()


async def test_a_page_read_before_a_charge_does_not_contradict_it(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory, *, seal: Seal
) -> None:
    page = await open_as(member, "me")
    till = Till(sessions=sessions, seal=seal, clock=SystemClock())
    was_read, may_arrive, streams = asyncio.Event(), asyncio.Event(), iter([True])

    async def stream(route: Route) -> None:
        if next(streams, False):
            await route.fulfill(body="retry: 100\n\n", content_type="text/event-stream")
        else:
            await route.continue_()

    async def late(route: Route) -> None:
        if route.request.resource_type != "fetch" or route.request.method != "GET":
            await route.continue_()
            return
        answer = await route.fetch()
        was_read.set()
        await may_arrive.wait()
        await route.fulfill(response=answer)

    await page.route("**/live", stream)
    await page.route("**/code", late)
    await page.goto(f"/h5/{member.slug}/code")
    digits = await digits_of(page)
    await was_read.wait()
    visit = await till.open_visit(digits, by=counter.pad)
    charge = charge_of(counter, till, visit_id=visit.visit_id)
    await charge(request_id=new_request_id(), amount_fen=3_800)
    await expect(page.get_by_text("已扣款 ¥38.00")).to_be_visible()
    async with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
        may_arrive.set()
    await page.wait_for_timeout(500)

    await expect(page.get_by_text("已扣款 ¥38.00")).to_be_visible()
    await till.drain()


async def test_a_code_that_comes_late_does_not_cover_what_happened(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory, *, seal: Seal
) -> None:
    page = await open_as(member, "code")
    digits = await digits_of(page)
    till = Till(sessions=sessions, seal=seal, clock=SystemClock())
    is_asked, may_answer, is_over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        is_asked.set()
        await may_answer.wait()
        with suppress(Error):  # The page may have given it up.
            await route.continue_()
        is_over.set()

    await page.route("**/code", late)
    await page.get_by_role("button", name="立即更换").click()
    await is_asked.wait()
    await till.open_visit(digits, by=counter.pad)
    await expect(page.get_by_text("已在小灶静安寺店出示")).to_be_visible()
    may_answer.set()
    await is_over.wait()
    await page.wait_for_timeout(500)

    await expect(page.get_by_text("已在小灶静安寺店出示")).to_be_visible()
    await till.drain()


async def test_the_code_renews_itself_and_by_a_tap(
    open_as: OpenAs, member: DinerSession, sessions: SessionFactory, seal: Seal
) -> None:
    page = await open_as(member, "me")
    await page.clock.install()
    await page.goto(f"/h5/{member.slug}/code")
    first = await digits_of(page)
    await expect(page.get_by_text(re.compile(r"\d+ 秒后自动更换"))).to_be_visible()

    await page.clock.fast_forward(31_000)
    await expect(page.locator(".code-digits")).not_to_contain_text(first[-4:])
    second = await digits_of(page)
    await page.get_by_role("button", name="立即更换").click()
    await expect(page.locator(".code-digits")).not_to_contain_text(second[-4:])
    third = await digits_of(page)

    assert len({first, second, third}) == 3
    assert await count(sessions, "member_codes") == 3
    newest = code_hash(seal, third).hex()
    assert await count(sessions, "member_codes", f"code_hash = '\\x{newest}'") == 1


async def test_without_a_network_the_living_code_stays_and_then_the_page_says_what_to_do(
    open_as: OpenAs, member: DinerSession
) -> None:
    page = await open_as(member, "me")
    await page.clock.install()
    await page.goto(f"/h5/{member.slug}/code")
    digits = await digits_of(page)

    await page.context.set_offline(True)
    await page.clock.fast_forward(31_000)
    await expect(page.get_by_text(re.compile(r"网络不通，这个码还有 \d+ 秒有效"))).to_be_visible()
    assert await digits_of(page) == digits

    await page.clock.fast_forward(31_000)
    await expect(page.get_by_role("alert")).to_contain_text("手机没有网络")
    await expect(page.locator(".code-picture")).to_be_hidden()

    await page.context.set_offline(False)
    assert await digits_of(page) != digits


async def test_an_ended_session_leads_to_a_new_one(
    open_as: OpenAs, member: DinerSession, site: str
) -> None:
    page = await open_as(member, "code")
    await digits_of(page)
    await page.context.clear_cookies()

    async with page.expect_request(re.compile(r"/oauth\?next=")) as asked:
        await page.get_by_role("button", name="立即更换").click()

    wanted = f"{site}/wechat/{member.slug}/oauth?next=/h5/{member.slug}/code"
    assert (await asked.value).url == wanted


async def test_a_scan_far_away_asks_the_member_first(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory, *, seal: Seal
) -> None:
    till = Till(sessions=sessions, seal=seal, clock=SystemClock())
    page = await open_as(member, "code")
    await till.open_visit(await digits_of(page), by=counter.pad)
    await page.get_by_role("button", name="再出示一次").click()
    digits = await digits_of(page)

    with pytest.raises(UnlikelyTravel):
        await till.open_visit(digits, by=counter.far_pad)
    await expect(page.get_by_text("小灶湖滨店正在扫您的会员码")).to_be_visible()
    await page.get_by_role("button", name="不是我").click()

    await expect(page.get_by_text("已拒绝，这次不会扣款")).to_be_visible()
    held = "held_at IS NOT NULL AND closed_at IS NOT NULL AND confirmed_at IS NULL"
    assert await count(sessions, "counter_visits", held) == 1
    await till.drain()
