"""The console's page of a store's opening hours: the week, and dates that are different."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.hours import WEEKDAYS
from o2o.queueing.actions.set_booked_hours import set_booked_hours
from o2o.queueing.errors_bookings import BookingsWouldLoseTime
from o2o.queueing.rules.typed_hours import read_spans, show_spans
from o2o.queueing.web.console_affected import load_affected, read_confirmed
from o2o.queueing.web.console_forms import Form, typed
from o2o.queueing.web.console_scope import (
    PAGE,
    SLOT,
    actor_of,
    get_managed_store,
    get_readable_store,
    head_of,
    page_of,
)
from o2o.stores.errors import HoursWrong
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
TAB = "/hours"
# Rows for dates that are not in the list yet.
BLANK_ROWS = 3
ROWS_MAX = 120


class OtherDay(msgspec.Struct, frozen=True, kw_only=True):
    """A date with other hours, as typed; no hours are a day off."""

    day: str
    hours: str


class ConsoleHours(Controller):
    """`/console/queues/{store}/hours`."""

    path = PAGE + "/{store_id:uuid}/hours"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the hours. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        return await _page(request, tx, console_staff, store)

    @post()
    async def set(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Keep the typed hours; who would lose a booked time by them is shown first.

        Raises StoreNotFound, RoleMissing, HoursWrong, BookingsWouldLoseTime.
        """
        store = await get_managed_store(tx, console_staff, store_id)
        now = platform.clock.now()
        form = dict(await request.form())
        try:
            await set_booked_hours(
                tx,
                store_id=store.id,
                brand_id=store.brand_id,
                hours={day: _read(typed(form, day), day) for day in WEEKDAYS},
                exceptions=_read_exceptions(form),
                confirmed=read_confirmed(form),
                today=_today(store, now),
                actor=actor_of(console_staff),
                now=now,
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, console_staff, store, form=form, fact=fact)
        return go_on(request, page_of(store_id, f"{TAB}?done=saved"))


def _today(store: Store, now: datetime) -> date:
    return now.astimezone(ZoneInfo(store.timezone)).date()


def _read(text: str, day: str) -> list[tuple[str, str]]:
    spans = read_spans(text)
    if spans is None:
        raise HoursWrong(problem="time", field=day, day=day)
    return spans


def _read_exceptions(form: Form) -> dict[date, list[tuple[str, str]]]:
    found: dict[date, list[tuple[str, str]]] = {}
    for row in _typed_rows(form):
        if not row.day:
            continue
        try:
            day = date.fromisoformat(row.day)
        except ValueError:
            raise HoursWrong(problem="day", field="exceptions", day=row.day) from None
        if day in found:
            raise HoursWrong(problem="twice", field="exceptions", day=row.day)
        found[day] = _read(row.hours, row.day)
    return found


def _typed_rows(form: Form) -> list[OtherDay]:
    """Return the rows of the form that were not ticked for removal."""
    return [
        OtherDay(day=typed(form, f"day_{index}"), hours=typed(form, f"hours_{index}"))
        for index in range(ROWS_MAX)
        if f"day_{index}" in form and not typed(form, f"remove_{index}")
    ]


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    store: Store,
    *,
    form: Form | None = None,
    fact: Fact | None = None,
) -> Response[Any]:
    now = platform_of(request).clock.now()
    head = await head_of(tx, person, store, tab="hours")
    kept = _kept_rows(store.hours_exceptions, _today(store, now))
    others = _typed_rows(form) if form is not None else kept
    affected = None
    if form is not None and isinstance(fact, BookingsWouldLoseTime):
        is_again = bool(read_confirmed(form))
        affected = await load_affected(request, tx, store, fact, is_again=is_again, now=now)
    blank = [OtherDay(day="", hours="")] * (BLANK_ROWS if head.can_edit else 0)
    return show_console(
        request,
        person,
        "console/queue_hours.html",
        page=SLOT,
        status=fact.status if fact else 200,
        head=head,
        week={day: _typed_or_kept(form, store.hours, day) for day in WEEKDAYS},
        others=[*(row for row in others if row.day or row.hours), *blank],
        affected=affected,
        fault=fault_of(request, fact) if fact and affected is None else None,
        problem=fact.detail if isinstance(fact, HoursWrong) else None,
        done="saved" if request.query_params.get("done") == "saved" else None,
    )


def _typed_or_kept(form: Form | None, hours: Mapping[str, Any], day: str) -> str:
    return typed(form, day) if form is not None else show_spans(hours.get(day, []))


def _kept_rows(exceptions: Mapping[str, Sequence[Any]], today: date) -> list[OtherDay]:
    return [
        OtherDay(day=day, hours=show_spans(spans))
        for day, spans in sorted(exceptions.items())
        if day >= today.isoformat()
    ]


route_handlers: list[Any] = [ConsoleHours]
