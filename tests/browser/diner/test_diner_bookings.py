"""Booking in a real browser: the time is full, a suggestion is taken, changed, called off."""

from datetime import datetime, timedelta

from playwright.async_api import expect
from sqlalchemy import update

from o2o.crm.bookings import BookingSettings
from o2o.crm.organisation import Store
from o2o.crm.statuses_bookings import BookingSource
from o2o.infra.database import SessionFactory, transaction
from o2o.kernel.clock import SystemClock
from o2o.kernel.hours import WEEKDAYS
from o2o.kernel.ids import new_request_id
from o2o.queueing.actions.book_slots import book_slots
from o2o.queueing.booking_commands import Booked, BookSlot
from tests.browser.diner.conftest import OpenAs
from tests.factories.bookings import SHANGHAI, given_queue, given_slots, slots_booked
from tests.factories.diners import DinerSession
from tests.factories.members import Counter


async def given_full_morning(sessions: SessionFactory, counter: Counter) -> datetime:
    """Slots from nine until noon, the one of tomorrow at ten taken; returns that time."""
    now = SystemClock().now()
    tomorrow = now.astimezone(SHANGHAI) + timedelta(days=1)
    ten = tomorrow.replace(hour=10, minute=0, second=0, microsecond=0)
    async with transaction(sessions) as tx:
        hours = {day: [["00:00", "24:00"]] for day in WEEKDAYS}
        await tx.execute(update(Store).where(Store.id == counter.store.id).values(hours=hours))
        tx.add(BookingSettings(store_id=counter.store.id, changed_at=now))
        await tx.flush()
        await given_slots(tx, await given_queue(tx, counter.store))
        wish = BookSlot(
            request_id=new_request_id(),
            store_id=counter.store.id,
            starts_at=ten,
            source=BookingSource.CONSOLE,
            now=now,
        )
        [booked] = await book_slots(tx, [wish])
        assert isinstance(booked, Booked)
    return ten


async def test_a_full_time_a_suggestion_another_time_and_away(
    open_as: OpenAs, member: DinerSession, counter: Counter, sessions: SessionFactory
) -> None:
    ten = await given_full_morning(sessions, counter)
    page = await open_as(member, f"bookings?on={ten:%Y-%m-%d}")
    await expect(page.locator(".booking-day[aria-current]")).to_contain_text("明天")
    # Nothing is chosen: said in our words at the button, in sight whatever is scrolled.
    await page.get_by_role("button", name="确认预约").click()
    await expect(page.get_by_role("alert")).to_have_text("请先选一个时间")
    await expect(page.get_by_role("alert")).to_be_in_viewport()
    await page.locator(".booking-time", has_text="10:00").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="确认预约").click()

    await expect(page.get_by_role("alert")).to_contain_text("这个时段已约满。")
    offered = page.locator(".booking-instead button")
    await expect(offered).to_have_text(["09:30", "10:30", "11:00"])
    await offered.nth(1).click()
    await expect(page.get_by_role("status")).to_have_text("预约成功")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("明天 10:30")
    code = (await page.locator(".booking-face-code").inner_text()).replace(" ", "")

    await page.get_by_role("link", name="改时间").click()
    await expect(page.get_by_role("status")).to_contain_text(code)
    await page.locator(".booking-day", has_text="明天").click()
    await page.locator(".booking-time", has_text="09:00").click()
    await page.get_by_role("button", name="改到这个时间").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("明天 09:00")
    await expect(page.locator(".booking-face-code")).to_have_text(" ".join(code))
    assert await slots_booked(sessions) == {f"{ten:%m-%d} 09:00": 1, f"{ten:%m-%d} 10:00": 1}

    await page.get_by_text("取消预约").click()
    await page.get_by_role("button", name="确定取消").click()
    await expect(page.get_by_role("status")).to_have_text("预约已取消")
    assert await slots_booked(sessions) == {f"{ten:%m-%d} 10:00": 1}
