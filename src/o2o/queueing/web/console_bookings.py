"""The console's day of bookings: who comes when, how full it is, check in, call off with notice."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.organisation import Store
from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.booking_commands import ChangeBooking
from o2o.queueing.bookings import Bookings
from o2o.queueing.errors_bookings import BookingsNotTaken
from o2o.queueing.queries.affected_bookings import day_span
from o2o.queueing.queries.booking_day import DayBooking, list_booked_between, list_day
from o2o.queueing.queries.booking_plans import get_plan
from o2o.queueing.rules.booking_plan import Plan, SlotKey
from o2o.queueing.web.booking_views import DayTexts
from o2o.queueing.web.console_forms import typed
from o2o.queueing.web.console_scope import (
    PAGE,
    SLOT,
    get_managed_store,
    get_readable_store,
    head_of,
    page_of,
)
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
TAB = "/bookings"
DAYS_AROUND = 5
# What is done at this page, told once.
DONE = frozenset({"arrived", "cancelled"})


class FilledTime(msgspec.Struct, frozen=True, kw_only=True):
    """How full one time of a queue is."""

    clock: str
    booked: int
    capacity: int
    # Booked before the plan said less.
    is_over: bool


class FilledQueue(msgspec.Struct, frozen=True, kw_only=True):
    """How full a queue is that day."""

    code: str
    name: str
    times: list[FilledTime]


class DayLink(msgspec.Struct, frozen=True, kw_only=True):
    """A day to look at."""

    on: str
    short: str
    dated: str
    is_chosen: bool


class DaySums(msgspec.Struct, frozen=True, kw_only=True):
    """The day in figures."""

    expected: int
    here: int
    not_kept: int
    cancelled: int
    people: int


class BookingDayPage(msgspec.Struct, frozen=True, kw_only=True):
    """A store's day of bookings."""

    on: str
    is_set_up: bool
    is_taking: bool
    days: list[DayLink]
    sums: DaySums
    bookings: list[DayBooking]
    filled: list[FilledQueue]
    fault: Fault | None
    done: str


class ConsoleBookings(Controller):
    """`/console/queues/{store}/bookings`."""

    path = PAGE + "/{store_id:uuid}/bookings"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show a day, today unless another is asked for. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        return await _page(request, tx, console_staff, store, on=_day(request))

    @post("/{booking_id:uuid}/arrive", status_code=200)
    async def arrive(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        booking_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        bookings: NamedDependency[Bookings],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Check somebody in. Raises StoreNotFound, RoleMissing."""
        change = await _change(request, tx, console_staff, store_id=store_id, booking_id=booking_id)
        try:
            await bookings.arrive(change)
        except Fact as fact:
            return await _refused(request, tx, console_staff, store_id=store_id, fact=fact)
        return go_on(request, page_of(store_id, f"{TAB}?on={_on(request)}&done=arrived"))

    @post("/{booking_id:uuid}/cancel", status_code=200)
    async def cancel(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        booking_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        bookings: NamedDependency[Bookings],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Call a booking off; whoever booked is told why. Raises StoreNotFound, RoleMissing."""
        change = await _change(request, tx, console_staff, store_id=store_id, booking_id=booking_id)
        reason = typed(dict(await request.form()), "reason") or None
        try:
            await bookings.cancel(msgspec.structs.replace(change, reason=reason))
        except Fact as fact:
            return await _refused(request, tx, console_staff, store_id=store_id, fact=fact)
        return go_on(request, page_of(store_id, f"{TAB}?on={_on(request)}&done=cancelled"))


async def _change(
    request: AnyRequest, tx: Tx, person: ConsoleStaff, *, store_id: UUID, booking_id: UUID
) -> ChangeBooking:
    await get_managed_store(tx, person, store_id)
    return ChangeBooking(
        booking_id=booking_id,
        brand_id=person.brand_id,
        store_id=store_id,
        staff_id=person.staff_id,
        now=platform_of(request).clock.now(),
    )


async def _refused(
    request: AnyRequest, tx: Tx, person: ConsoleStaff, *, store_id: UUID, fact: Fact
) -> Response[Any]:
    if is_for_program(request):
        raise fact
    store = await get_managed_store(tx, person, store_id)
    return await _page(request, tx, person, store, on=_day(request), fact=fact)


def _on(request: AnyRequest) -> str:
    day = _day(request)
    return day.isoformat() if day else ""


def _day(request: AnyRequest) -> date | None:
    try:
        day = date.fromisoformat(request.query_params.get("on", ""))
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    store: Store,
    *,
    on: date | None,
    fact: Fact | None = None,
) -> Response[Any]:
    platform = platform_of(request)
    now = platform.clock.now()
    try:
        plan = await get_plan(tx, store.id, now=now)
    except BookingsNotTaken:
        plan = None
    view = _empty(fact, request)
    if plan is not None:
        view = await _view(request, tx, plan, on=on or plan.day_of(now), now=now, fact=fact)
    return show_console(
        request,
        person,
        "console/queue_bookings.html",
        page=SLOT,
        status=fact.status if fact else 200,
        head=await head_of(tx, person, store, tab="bookings"),
        view=view,
    )


def _empty(fact: Fact | None, request: AnyRequest) -> BookingDayPage:
    return BookingDayPage(
        on="",
        is_set_up=False,
        is_taking=False,
        days=[],
        sums=DaySums(expected=0, here=0, not_kept=0, cancelled=0, people=0),
        bookings=[],
        filled=[],
        fault=fault_of(request, fact) if fact else None,
        done="",
    )


async def _view(
    request: AnyRequest,
    tx: Tx,
    plan: Plan,
    *,
    on: date,
    now: datetime,
    fact: Fact | None,
) -> BookingDayPage:
    language = language_of(request)
    texts = DayTexts(platform_of(request).words, language=language, now=now)
    bookings = await list_day(tx, plan.store_id, on, zone=plan.zone, now=now)
    since, until = day_span(on, plan.zone)
    booked = await list_booked_between(tx, plan.store_id, since=since, until=until)
    done = request.query_params.get("done", "")
    return BookingDayPage(
        on=on.isoformat(),
        is_set_up=bool(plan.rules),
        is_taking=plan.is_taking,
        days=_days(plan, on, texts=texts, now=now),
        sums=_sums(bookings),
        bookings=bookings,
        filled=_filled(plan, on, booked, language=language),
        fault=fault_of(request, fact) if fact else None,
        done=done if done in DONE and fact is None else "",
    )


def _days(plan: Plan, on: date, *, texts: DayTexts, now: datetime) -> list[DayLink]:
    """The day before, today and what can be booked; another one that was asked for beside them."""
    today = plan.day_of(now)
    days = {today + timedelta(days=ahead) for ahead in range(-1, DAYS_AROUND + 1)} | {on}
    return [
        DayLink(
            on=day.isoformat(),
            short=texts.short(day, plan.zone),
            dated=texts.dated(day),
            is_chosen=day == on,
        )
        for day in sorted(days)
    ]


def _sums(bookings: Sequence[DayBooking]) -> DaySums:
    here = {BookingStatus.ARRIVED, BookingStatus.SERVED}
    coming = [b for b in bookings if b.status in here or b.status is BookingStatus.BOOKED]
    return DaySums(
        expected=sum(b.status is BookingStatus.BOOKED for b in bookings),
        here=sum(b.status in here for b in bookings),
        not_kept=sum(b.status is BookingStatus.NO_SHOW for b in bookings),
        cancelled=sum(b.status is BookingStatus.CANCELLED for b in bookings),
        people=sum(b.party_size for b in coming),
    )


def _filled(
    plan: Plan, on: date, booked: dict[SlotKey, int], *, language: str
) -> list[FilledQueue]:
    """How full each queue's times are; times that were booked before the plan changed, too."""
    places: dict[SlotKey, int] = {slot.key: slot.capacity for slot in plan.slots_of_day(on)}
    keys = sorted({*places, *booked}, key=lambda key: (key.queue_id, key.starts_at))
    names = {queue.queue_id: queue for queue in plan.queues}
    filled = []
    for queue_id, group in groupby(keys, key=lambda key: key.queue_id):
        queue = names.get(queue_id)
        times = [
            FilledTime(
                clock=f"{key.starts_at.astimezone(plan.zone):%H:%M}",
                booked=booked.get(key, 0),
                capacity=places.get(key, 0),
                is_over=booked.get(key, 0) > places.get(key, 0),
            )
            for key in group
        ]
        name = queue.name_in(language) if queue else ""
        filled.append(FilledQueue(code=queue.code if queue else "", name=name, times=times))
    return sorted(filled, key=lambda one: one.code)


route_handlers: list[Any] = [ConsoleBookings]
