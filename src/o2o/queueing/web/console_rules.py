"""The console's page of how a store queues: distances, notices, misses, priority, closing."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.organisation import Store
from o2o.crm.queueing import QueueSettings
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.actions.run_queues import (
    APOLOGY_CHARS_MAX,
    SETTING_RANGES,
    QueueSettingsDraft,
    edit_settings,
)
from o2o.queueing.queries.queues import get_settings
from o2o.queueing.web.console_forms import Form, read_setting, typed
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
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
TAB = "/rules"
NUMBERS = ("notice_parties", "notice_minutes", "returns_max", "return_behind", "ordinary_between")


class ConsoleQueueRules(Controller):
    """`/console/queues/{store}/rules`."""

    path = PAGE + "/{store_id:uuid}/rules"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the rules. Raises StoreNotFound, RoleMissing."""
        store = await get_readable_store(tx, console_staff, store_id)
        return await _page(request, tx, console_staff, store)

    @post()
    async def save(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Keep the typed rules.

        Raises StoreNotFound, RoleMissing, QueueSettingsInvalid, ReachBeyondDistance.
        """
        store = await get_managed_store(tx, console_staff, store_id)
        form = dict(await request.form())
        try:
            kept = await get_settings(tx, store_id)
            draft = _read(form, kept)
            now = platform.clock.now()
            await edit_settings(tx, store_id, draft, actor=actor_of(console_staff), now=now)
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, console_staff, store, form=form, fact=fact)
        return go_on(request, page_of(store_id, f"{TAB}?done=saved"))


def _read(form: Form, kept: QueueSettings) -> QueueSettingsDraft:
    """Return the typed rules; what the page has no field for stays. Raises QueueSettingsInvalid."""
    words = typed(form, "apology_text")
    others = {k: v for k, v in (kept.apology or {}).items() if k != "text"}
    apology = {**others, "text": words} if words else (others or None)
    distance = read_setting(form, "distance_m_max") if typed(form, "distance_m_max") else None
    reach = read_setting(form, "reach_m") if "reach_m" in form else kept.reach_m
    numbers = {name: read_setting(form, name) for name in NUMBERS}
    return QueueSettingsDraft(
        distance_m_max=distance,
        reach_m=reach,
        has_member_priority=typed(form, "has_member_priority") == "yes",
        serves_waiting_after_close=typed(form, "after_close") != "dismiss",
        apology=apology,
        **numbers,
    )


def _values(settings: QueueSettings) -> dict[str, str]:
    return {
        "distance_m_max": "" if settings.distance_m_max is None else str(settings.distance_m_max),
        **{name: str(getattr(settings, name)) for name in ("reach_m", *NUMBERS)},
        "has_member_priority": "yes" if settings.has_member_priority else "",
        "after_close": "serve" if settings.serves_waiting_after_close else "dismiss",
        "apology_text": str((settings.apology or {}).get("text", "")),
    }


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    store: Store,
    *,
    form: Form | None = None,
    fact: Fact | None = None,
) -> Response[Any]:
    kept = _values(await get_settings(tx, store.id))
    values = kept if form is None else {name: typed(form, name) for name in kept}
    return show_console(
        request,
        person,
        "console/queue_rules.html",
        page=SLOT,
        status=fact.status if fact else 200,
        head=await head_of(tx, person, store, tab="rules"),
        values=values,
        ranges=SETTING_RANGES,
        apology_most=APOLOGY_CHARS_MAX,
        fault=fault_of(request, fact) if fact else None,
        done="saved" if request.query_params.get("done") == "saved" else None,
    )


route_handlers: list[Any] = [ConsoleQueueRules]
