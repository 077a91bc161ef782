"""The console's page of tiers: conditions and what each gives, tried before it is saved."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from o2o.crm.organisation import Tier
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId
from o2o.membership.actions.edit_tiers import edit_tiers
from o2o.membership.queries.effects import TiersEffect, get_tiers_effect
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.programme import TIERS_MAX, TierDraft, check_tiers
from o2o.membership.rules.tiers import TierStep
from o2o.membership.web.programme_forms import read_tiers, read_whole
from o2o.membership.web.programme_views import (
    READERS,
    TiersPage,
    check_reader,
    has_brand_role,
    new_tier_values,
    tier_values,
    typed_tiers,
)
from o2o.stores.queries import list_tiers
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/programme/tiers"


class ConsoleTiers(Controller):
    """`/console/programme/tiers`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_tiers(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the tiers as they are."""
        return await _page(request, tx, console_staff, platform=platform)

    @post("/preview", status_code=200)
    async def preview(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show who would move by the typed tiers; nothing is saved."""
        return await _page(
            request, tx, console_staff, platform=platform, form=dict(await request.form())
        )

    @post("/")
    async def save(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Put the typed tiers in force. Raises what edit_tiers raises."""
        form = dict(await request.form())
        try:
            await edit_tiers(
                tx,
                read_tiers(form, most=TIERS_MAX),
                brand_id=BrandId(console_staff.brand_id),
                version=read_whole(form, "version"),
                staff_id=console_staff.staff_id,
                now=platform.clock.now(),
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, console_staff, platform=platform, form=form, fact=fact)
        return go_on(request, f"{PAGE}?done=saved")


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    platform: Platform,
    form: dict[str, Any] | None = None,
    fact: Fact | None = None,
) -> Response[Any]:
    check_reader(person, READERS)
    brand_id = BrandId(person.brand_id)
    rules = await get_programme(tx, brand_id)
    tiers = await list_tiers(tx, brand_id)
    effect = None
    if form is not None and fact is None:
        try:
            drafts = read_tiers(form, most=TIERS_MAX)
            check_tiers(drafts)
            effect = await _effect(tx, brand_id, tiers, drafts, platform=platform)
        except Fact as wrong:
            if is_for_program(request):
                raise
            fact = wrong
    can_edit = has_brand_role(person, StaffRoleName.MARKETER) and rules.ended_at is None
    shown = typed_tiers(form, most=TIERS_MAX) if form else [tier_values(tier) for tier in tiers]
    if can_edit and form is None and len(shown) < TIERS_MAX:
        shown.append(new_tier_values())
    view = TiersPage(
        version=rules.version,
        tiers=shown,
        can_edit=can_edit,
        can_give=has_brand_role(person, StaffRoleName.MARKETER, StaffRoleName.MANAGER),
        effect=effect,
        fault=fault_of(request, fact) if fact else None,
        done="saved" if request.query_params.get("done") == "saved" else None,
    )
    return show_console(
        request,
        person,
        "console/programme_tiers.html",
        page="programme",
        status=fact.status if fact else 200,
        view=view,
    )


async def _effect(
    tx: Tx,
    brand_id: BrandId,
    tiers: Sequence[Tier],
    drafts: Sequence[TierDraft],
    *,
    platform: Platform,
) -> TiersEffect:
    now_steps = [TierStep(t.code, t.name, t.spend_from_fen, t.visits_from) for t in tiers]
    codes = {tier.id: tier.code for tier in tiers}
    then_steps = [
        TierStep(
            codes.get(draft.tier_id, f"new-{rank}") if draft.tier_id else f"new-{rank}",
            draft.name,
            draft.spend_from_fen,
            draft.visits_from,
        )
        for rank, draft in enumerate(drafts)
    ]
    # A tier that is missing from the form is still there: saving will refuse, the effect need not.
    missing = [step for step in now_steps if step.code not in {one.code for one in then_steps}]
    return await get_tiers_effect(
        tx,
        brand_id,
        steps_now=now_steps,
        steps_then=[*then_steps, *missing],
        now=platform.clock.now(),
    )


route_handlers: list[Any] = [ConsoleTiers]
