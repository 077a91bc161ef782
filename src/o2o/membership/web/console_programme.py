"""The console's page of a programme's rules: looked at, tried on the last month, saved; its end."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import ProposalStatus, StaffRoleName
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, RequestId, new_request_id
from o2o.membership.actions.end_programme import approve_end, propose_end, reject_end, withdraw_end
from o2o.membership.actions.set_programme import set_programme
from o2o.membership.queries.effects import PointsRate, get_points_effect
from o2o.membership.queries.endings import find_latest_ending, get_liability
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.programme import check_settings
from o2o.membership.web.programme_forms import read_settings, read_whole
from o2o.membership.web.programme_views import (
    READERS,
    RulesPage,
    check_reader,
    has_brand_role,
    rule_values,
    typed_rules,
)
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.console_menu import ConsoleMenu
from o2o.web.errors import RouteNotFound
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/programme"
SLOT = "programme"
DONE = frozenset({"saved", "end_proposed", "end_approved", "end_rejected", "end_withdrawn"})


class ProposeEnd(msgspec.Struct, forbid_unknown_fields=True):
    """Why the programme is to end."""

    request_id: UUID
    reason: str
    csrf: str = ""


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the page to the console's menu."""
    menu.add(
        slot=SLOT,
        href=PAGE,
        label="programme.menu",
        icon="programme",
        roles=READERS,
        order=300,
    )


class ConsoleProgramme(Controller):
    """`/console/programme`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_rules(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the rules in force."""
        return await _page(request, tx, console_staff, platform=platform)

    @post("/preview", status_code=200)
    async def preview(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what the typed rules would have done; nothing is saved."""
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
        """Put the typed rules in force. Raises what set_programme raises."""
        form = dict(await request.form())
        try:
            await set_programme(
                tx,
                read_settings(form),
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

    @post("/endings")
    async def propose(
        self,
        request: AnyRequest,
        data: Annotated[ProposeEnd, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Propose to end the programme. Raises what propose_end raises."""
        try:
            await propose_end(
                tx,
                request_id=RequestId(data.request_id),
                brand_id=console_staff.brand_id,
                staff_id=console_staff.staff_id,
                reason=data.reason,
                now=platform.clock.now(),
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, console_staff, platform=platform, fact=fact)
        return go_on(request, f"{PAGE}?done=end_proposed")

    @post("/endings/{ending_id:uuid}/{decision:str}")
    async def decide(
        self,
        request: AnyRequest,
        ending_id: FromPath[UUID],
        decision: FromPath[str],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Approve, reject or take back the proposal. Raises what those actions raise."""
        acts = {
            "approvals": (approve_end, "end_approved"),
            "rejections": (reject_end, "end_rejected"),
            "withdrawals": (withdraw_end, "end_withdrawn"),
        }
        if decision not in acts:
            raise RouteNotFound
        act, done = acts[decision]
        await act(
            tx,
            ending_id,
            brand_id=console_staff.brand_id,
            staff_id=console_staff.staff_id,
            now=platform.clock.now(),
        )
        return go_on(request, f"{PAGE}?done={done}")


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
    effect = None
    if form is not None and fact is None:
        try:
            settings = read_settings(form)
            check_settings(settings)
            effect = await get_points_effect(
                tx,
                brand_id,
                rate_now=PointsRate(rules.points_per_yuan, rules.visit_points),
                rate_then=PointsRate(settings.points_per_yuan, settings.visit_points),
                now=platform.clock.now(),
            )
        except Fact as wrong:
            if is_for_program(request):
                raise
            fact = wrong
    ending = await find_latest_ending(tx, brand_id)
    is_open = ending is not None and ending.status is ProposalStatus.PROPOSED
    done = request.query_params.get("done")
    view = RulesPage(
        version=rules.version,
        values=typed_rules(form) if form is not None else rule_values(rules),
        can_edit=has_brand_role(person, StaffRoleName.MARKETER) and rules.ended_at is None,
        can_propose_end=has_brand_role(person, StaffRoleName.MARKETER, StaffRoleName.MANAGER)
        and not is_open
        and rules.ended_at is None,
        can_decide_end=is_open
        and has_brand_role(person, StaffRoleName.FINANCE)
        and ending is not None
        and ending.proposed_by != person.staff_id,
        is_proposer=is_open and ending is not None and ending.proposed_by == person.staff_id,
        ended=rules.ended_at is not None,
        ending=ending,
        liability=await get_liability(tx, brand_id),
        request_id=new_request_id(),
        effect=effect,
        fault=fault_of(request, fact) if fact else None,
        done=done if done in DONE else None,
    )
    return show_console(
        request,
        person,
        "console/programme.html",
        page=SLOT,
        status=fact.status if fact else 200,
        view=view,
    )


route_handlers: list[Any] = [ConsoleProgramme]
