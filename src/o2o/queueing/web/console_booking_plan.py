"""The console's plan of bookings: settings, the slots of a week, dates that are different."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.organisation import Store
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.actions.edit_booking_plan import (
    PlanEdit,
    add_rule,
    change_rule,
    except_date,
    save_booking_settings,
    withdraw_exception,
    withdraw_rule,
)
from o2o.queueing.errors_bookings import (
    BookingPlanWrong,
    BookingsNotTaken,
    BookingsWouldLoseTime,
)
from o2o.queueing.queries.arranged import ArrangedQueue, list_arranged_queues
from o2o.queueing.queries.booking_plans import get_plan
from o2o.queueing.rules.booking_drafts import (
    SETTING_RANGES,
    SettingsDraft,
)
from o2o.queueing.rules.booking_plan import DayException, Plan, WeeklyRule
from o2o.queueing.web.booking_views import DayTexts
from o2o.queueing.web.console_affected import AffectedView, load_affected, read_confirmed
from o2o.queueing.web.console_booking_forms import (
    EXCEPTION_FIELDS,
    RULE_FIELDS,
    clock_of,
    read_exception,
    read_rule,
    read_settings,
    typed_fields,
)
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
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
TAB = "/bookings/plan"
DONE = frozenset({"settings", "added", "changed", "withdrawn", "excepted", "unexcepted"})
FIRST_RULE = {
    "since": "10:00",
    "until": "20:00",
    "slot_minutes": "30",
    "capacity": "2",
    "party_size_min": "1",
    "party_size_max": "4",
}


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the week, as fields hold it."""

    rule_id: UUID
    weekday: int
    queue_id: UUID
    line: str
    since: str
    until: str
    slot_minutes: int
    capacity: int
    party_size_min: int
    party_size_max: int


class ExceptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A date that is different."""

    exception_id: UUID
    dated: str
    line: str
    capacity: int | None
    reason: str


class PlanPage(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one store."""

    settings: dict[str, str]
    ranges: dict[str, tuple[int, int]]
    queues: list[ArrangedQueue]
    rules: list[RuleRow]
    exceptions: list[ExceptionRow]
    rule_form: dict[str, str]
    weekdays: list[str]
    exception_form: dict[str, str]
    # Who would lose the time, before it is done; None while nothing is asked.
    affected: AffectedView | None
    fault: Fault | None
    problem: str
    done: str


class ConsoleBookingPlan(Controller):
    """`/console/queues/{store}/bookings/plan`."""

    path = PAGE + "/{store_id:uuid}/bookings/plan"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the plan. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        return await _page(request, tx, console_staff, store)

    @post("/settings", status_code=200)
    async def save(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Keep the typed settings. Raises StoreNotFound, RoleMissing."""
        store = await get_managed_store(tx, console_staff, store_id)
        form = dict(await request.form())
        try:
            edit = _edit(request, console_staff, store_id)
            await save_booking_settings(tx, read_settings(form), edit=edit)
        except Fact as fact:
            return await _refused(request, tx, console_staff, store, form=form, fact=fact)
        return _done(request, store_id, "settings")

    @post("/rules", status_code=200)
    async def add(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Offer the typed slots on the ticked weekdays. Raises StoreNotFound, RoleMissing."""
        store = await get_managed_store(tx, console_staff, store_id)
        posted = await request.form()
        form, weekdays = dict(posted), [str(day) for day in posted.getall("weekdays", [])]
        try:
            edit = _edit(request, console_staff, store_id)
            await add_rule(tx, read_rule(form, weekdays), edit=edit)
        except Fact as fact:
            return await _refused(
                request, tx, console_staff, store, form=form, weekdays=weekdays, fact=fact
            )
        return _done(request, store_id, "added")

    @post("/rules/{rule_id:uuid}", status_code=200)
    async def change(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        rule_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Change a rule, or do without it. Raises StoreNotFound, RoleMissing, BookingPlanGone."""
        store = await get_managed_store(tx, console_staff, store_id)
        form = dict(await request.form())
        edit = _edit(request, console_staff, store_id)
        try:
            if typed(form, "withdraw"):
                await withdraw_rule(tx, rule_id, edit=edit)
                return _done(request, store_id, "withdrawn")
            draft = read_rule(form, [typed(form, "weekday")])
            await change_rule(tx, rule_id, draft, edit=edit)
        except Fact as fact:
            return await _refused(request, tx, console_staff, store, form={}, fact=fact)
        return _done(request, store_id, "changed")

    @post("/exceptions", status_code=200)
    async def except_one(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Make a date different; whom that leaves without a time is shown first, then told.

        Raises StoreNotFound, RoleMissing, BookingsWouldLoseTime.
        """
        store = await get_managed_store(tx, console_staff, store_id)
        form = dict(await request.form())
        try:
            edit = _edit(request, console_staff, store_id)
            await except_date(tx, read_exception(form), edit=edit, confirmed=read_confirmed(form))
        except Fact as fact:
            return await _refused(request, tx, console_staff, store, form=form, fact=fact)
        return _done(request, store_id, "excepted")

    @post("/exceptions/{exception_id:uuid}/withdraw", status_code=200)
    async def unexcept(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        exception_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Let a date be as others again. Raises StoreNotFound, RoleMissing, BookingPlanGone."""
        await get_managed_store(tx, console_staff, store_id)
        await withdraw_exception(tx, exception_id, edit=_edit(request, console_staff, store_id))
        return _done(request, store_id, "unexcepted")


def _edit(request: AnyRequest, person: ConsoleStaff, store_id: UUID) -> PlanEdit:
    now = platform_of(request).clock.now()
    return PlanEdit(store_id=store_id, actor=actor_of(person), now=now)


def _done(request: AnyRequest, store_id: UUID, what: str) -> Response[Any]:
    return go_on(request, page_of(store_id, f"{TAB}?done={what}"))


async def _refused(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    store: Store,
    *,
    form: Form,
    fact: Fact,
    weekdays: Sequence[str] = (),
) -> Response[Any]:
    if is_for_program(request):
        raise fact
    return await _page(request, tx, person, store, form=form, fact=fact, weekdays=weekdays)


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    store: Store,
    *,
    form: Form | None = None,
    weekdays: Sequence[str] = (),
    fact: Fact | None = None,
) -> Response[Any]:
    platform, language = platform_of(request), language_of(request)
    now = platform.clock.now()
    texts = DayTexts(platform.words, language=language, now=now)
    try:
        plan: Plan | None = await get_plan(tx, store.id, now=now)
    except BookingsNotTaken:
        plan = None
    queues = await list_arranged_queues(tx, store, now=now)
    names = {q.queue_id: f"{q.code} {q.name_en if language == 'en' else q.name}" for q in queues}
    rule_form = typed_fields(form or {}, RULE_FIELDS)
    done = request.query_params.get("done", "")
    affected = None
    if form is not None and isinstance(fact, BookingsWouldLoseTime):
        is_again = bool(read_confirmed(form))
        affected = await load_affected(request, tx, store, fact, is_again=is_again, now=now)
    view = PlanPage(
        settings=_settings(plan, form),
        ranges=SETTING_RANGES,
        queues=queues,
        rules=[_rule_row(rule, names) for rule in plan.rules] if plan else [],
        exceptions=[_exception_row(one, names, texts=texts) for one in plan.exceptions]
        if plan
        else [],
        rule_form=rule_form if any(rule_form.values()) else FIRST_RULE | {"queue_id": ""},
        weekdays=list(weekdays) or ([] if form else [str(day) for day in range(7)]),
        exception_form=typed_fields(form or {}, EXCEPTION_FIELDS),
        affected=affected,
        fault=fault_of(request, fact) if fact and affected is None else None,
        problem=str(fact.detail["problem"]) if isinstance(fact, BookingPlanWrong) else "",
        done=done if done in DONE and fact is None else "",
    )
    return show_console(
        request,
        person,
        "console/queue_booking_plan.html",
        page=SLOT,
        status=fact.status if fact else 200,
        head=await head_of(tx, person, store, tab="bookings"),
        view=view,
    )


def _settings(plan: Plan | None, form: Form | None) -> dict[str, str]:
    if form is not None and "live_max" in form:
        return typed_fields(form, ("is_taking", *SETTING_RANGES))
    source = plan if plan is not None else SettingsDraft()
    values = {name: str(getattr(source, name)) for name in SETTING_RANGES}
    return values | {"is_taking": "yes" if source.is_taking else ""}


def _rule_row(rule: WeeklyRule, names: dict[UUID, str]) -> RuleRow:
    return RuleRow(
        rule_id=rule.rule_id,
        weekday=rule.weekday,
        queue_id=rule.queue_id,
        line=names.get(rule.queue_id, ""),
        since=clock_of(rule.since_minute),
        until=clock_of(rule.until_minute),
        slot_minutes=rule.slot_minutes,
        capacity=rule.capacity,
        party_size_min=rule.party_size_min,
        party_size_max=rule.party_size_max,
    )


def _exception_row(one: DayException, names: dict[UUID, str], *, texts: DayTexts) -> ExceptionRow:
    return ExceptionRow(
        exception_id=one.exception_id,
        dated=texts.text("day.dated", year=one.applies_on.year, date=texts.dated(one.applies_on)),
        line=names.get(one.queue_id, "") if one.queue_id else "",
        capacity=one.capacity,
        reason=one.reason,
    )


route_handlers: list[Any] = [ConsoleBookingPlan]
