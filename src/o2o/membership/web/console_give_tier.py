"""The console's page on which a member is given a tier: the card first, then tier and reason."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from o2o.crm.organisation import Tier
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import RequestId, new_request_id
from o2o.membership.actions.give_tier import GiveTier, give_tier
from o2o.membership.errors_programme import CardUnknown
from o2o.membership.queries.adjustments import MemberFound, find_member_of_card
from o2o.membership.queries.tiers import (
    TierMoveView,
    TierProgress,
    get_tier_progress,
    list_tier_moves,
)
from o2o.membership.web.adjustment_pages import card_no_of
from o2o.membership.web.programme_forms import typed
from o2o.membership.web.programme_views import has_brand_role
from o2o.stores.queries import list_tiers
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.errors import RequestInvalid, RoleMissing
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/programme/given-tiers"


class GivenTierPage(msgspec.Struct, frozen=True, kw_only=True):
    """A member found by card, with the present tier and how it came about."""

    tab: str = "tiers"
    card_no: str
    is_unknown: bool
    member: MemberFound | None
    progress: TierProgress | None
    moves: list[TierMoveView]
    tiers: list[Tier]
    values: dict[str, str]
    request_id: str
    fault: Fault | None
    is_done: bool


class ConsoleGivenTiers(Controller):
    """`/console/programme/given-tiers`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def write(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the form, for the member of the card that was asked for."""
        form = {"card_no": request.query_params.get("card_no", "")}
        return await _page(request, tx, console_staff, platform=platform, form=form)

    @post("/")
    async def give(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Give the tier. Raises what give_tier raises, CardUnknown, RequestInvalid."""
        form = dict(await request.form())
        try:
            member = await find_member_of_card(
                tx, brand_id=console_staff.brand_id, card_no=card_no_of(form)
            )
            if member is None:
                raise CardUnknown
            command = GiveTier(
                request_id=RequestId(_id(form, "request_id")),
                brand_id=console_staff.brand_id,
                member_id=member.member_id,
                tier_id=_id(form, "tier_id"),
                is_paid=typed(form, "how") == "paid",
                why=typed(form, "why"),
                staff_id=console_staff.staff_id,
            )
            await give_tier(tx, command, now=platform.clock.now())
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(request, tx, console_staff, platform=platform, form=form, fact=fact)
        return go_on(request, f"{PAGE}?card_no={member.card_no}&done=1")


def _id(form: dict[str, Any], name: str) -> UUID:
    try:
        return UUID(typed(form, name))
    except ValueError:
        raise RequestInvalid(field=name) from None


async def _page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    platform: Platform,
    form: dict[str, Any],
    fact: Fact | None = None,
) -> Response[Any]:
    if not has_brand_role(person, StaffRoleName.MARKETER, StaffRoleName.MANAGER):
        raise RoleMissing
    card_no = card_no_of(form)
    member = await find_member_of_card(tx, brand_id=person.brand_id, card_no=card_no)
    now = platform.clock.now()
    view = GivenTierPage(
        card_no=card_no,
        is_unknown=bool(card_no) and member is None,
        member=member,
        progress=await get_tier_progress(tx, member.member_id, now=now) if member else None,
        moves=await list_tier_moves(tx, member.member_id) if member else [],
        tiers=list(await list_tiers(tx, person.brand_id)),
        values={name: typed(form, name) for name in ("tier_id", "how", "why")},
        request_id=typed(form, "request_id") or str(new_request_id()),
        fault=fault_of(request, fact) if fact else None,
        is_done=request.query_params.get("done") == "1",
    )
    return show_console(
        request,
        person,
        "console/programme_given_tier.html",
        page="programme",
        status=fact.status if fact else 200,
        view=view,
    )


route_handlers: list[Any] = [ConsoleGivenTiers]
