"""The console's members: looking for one, and the one place where all is known of each."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body, FromPath

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.actions.open_dossier import show_phone
from o2o.membership.queries.search import list_tags, search_members
from o2o.membership.rules.dossier import MAY_LOOK, TAG_CHARS_MAX, one_word
from o2o.membership.rules.search import CHARS_MAX, read_search
from o2o.membership.web.console_member_page import PAGE, SLOT, show_member
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.console_menu import ConsoleMenu
from o2o.web.errors import RoleMissing
from o2o.web.guards import console_guard, is_question_of_methods, provide_console_staff
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
Form = RequestEncodingType.URL_ENCODED


class ShowPhone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the whole number is needed."""

    reason: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    csrf: str = ""


async def members_guard(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """Let those pass who may look at members. Raises RoleMissing."""
    if is_question_of_methods(connection):
        return
    person = connection.state.principal
    assert isinstance(person, ConsoleStaff), "members_guard comes after console_guard"
    if MAY_LOOK.isdisjoint(person.roles):
        raise RoleMissing


class ConsoleMembers(Controller):
    """Members of the brand, for those whose work it is to know them.

    Who asks is taken from the request: the framework resolves two dependencies in a task group.
    """

    path = PAGE
    guards = [console_guard, members_guard]  # noqa: RUF012 - Litestar reads this plain attribute

    @get("/")
    async def search(
        self,
        request: AnyRequest,
        reads: NamedDependency[Tx],
    ) -> Response[str]:
        """Show who is found by name, phone, card or tag. Raises PlaceUnknown."""
        console_staff = provide_console_staff(request)
        asked = request.query_params
        typed = (asked.get("q") or "")[:CHARS_MAX]
        tag = one_word(asked.get("tag") or "", chars_max=TAG_CHARS_MAX)
        found = await search_members(
            reads,
            read_search(typed),
            brand_id=console_staff.brand_id,
            tag=tag,
            place=asked.get("after") or None,
        )
        return show_console(
            request,
            console_staff,
            "console/members.html",
            page=SLOT,
            found=found,
            typed=typed,
            tag=tag,
            tags=await list_tags(reads, console_staff.brand_id),
            is_first=not asked.get("after"),
        )

    @get("/{member_id:uuid}")
    async def member(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        tx: NamedDependency[Tx],
    ) -> Response[Any]:
        """Show one member, and note who looked. Raises MemberNotFound, PlaceUnknown."""
        person = provide_console_staff(request)
        return await show_member(request, tx, person, member_id=member_id)

    @post("/{member_id:uuid}/phone", status_code=200)
    async def phone(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[ShowPhone, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show the phone in full, once, with a reason that is kept. Raises ReasonMissing."""
        try:
            phone = await show_phone(
                tx,
                member_id=member_id,
                by=console_staff.staff_id,
                reason=data.reason,
                now=platform.clock.now(),
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await show_member(request, tx, console_staff, member_id=member_id, fact=fact)
        return await show_member(request, tx, console_staff, member_id=member_id, phone=phone or "")


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the page to the console's menu."""
    menu.add(
        slot=SLOT,
        href=PAGE,
        label="members.title",
        icon="members",
        roles=MAY_LOOK,
        order=200,
    )


route_handlers: list[Any] = [ConsoleMembers]
