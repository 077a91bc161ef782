"""The console's merge: shown first, done with a reason, undone within seven days."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import RequestId, new_request_id
from o2o.membership.actions.merge_at_console import (
    find_partner,
    merge_at_console,
    unmerge_at_console,
)
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import (
    LaterMergeFirst,
    MergeNotFound,
    MergeReasonMissing,
    MergeTooOld,
)
from o2o.membership.queries.merge_preview import (
    UndoableMerge,
    list_undoable_merges,
    preview_merge,
)
from o2o.membership.rules.dossier import MAY_MERGE, REASON_CHARS_MAX, REASON_CHARS_MIN
from o2o.membership.web.console_member_page import (
    PAGE,
    PANELS,
    SLOT,
    MemberPageContext,
    show_member,
)
from o2o.membership.web.console_members import members_guard
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.panels import Panel, Panels
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
# What the actions refuse before they write: said in place.
UNTOUCHED = (MergeReasonMissing, MergeTooOld, MergeNotFound, LaterMergeFirst)
Typed = Annotated[str, msgspec.Meta(max_length=1_000)]
Form = RequestEncodingType.URL_ENCODED


class LookAtMerge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The other member, by the whole of a phone or card."""

    other: Typed
    csrf: str = ""


class MakeMerge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pair that was shown, and why."""

    other_id: UUID
    request_id: UUID
    reason: Typed = ""
    csrf: str = ""


class UndoMerge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why two members come apart again."""

    request_id: UUID
    reason: Typed = ""
    csrf: str = ""


class MergePanel(msgspec.Struct, frozen=True, kw_only=True):
    """What went into the member lately, and the way to another merge."""

    member_id: UUID
    merges: list[UndoableMerge]
    request_ids: list[RequestId]
    reason_min: int = REASON_CHARS_MIN
    reason_max: int = REASON_CHARS_MAX


async def load_merges(tx: Tx, context: MemberPageContext) -> MergePanel | None:
    """Return the panel; nobody but a manager sees it."""
    if MAY_MERGE.isdisjoint(context.console_staff.roles):
        return None
    merges = await list_undoable_merges(tx, context.member_id, now=context.now)
    return MergePanel(
        member_id=context.member_id,
        merges=merges,
        request_ids=[new_request_id() for _ in merges],
    )


def register(panels: Panels) -> None:
    """Contribute the panel to the member's page."""
    panels.add(
        PANELS,
        Panel(name="merge", template="console/_member_merge.html", load=load_merges, order=90),
    )


class ConsoleMerge(Controller):
    """`/console/members/{member}/merges`; the actions refuse whoever is no manager."""

    path = f"{PAGE}/{{member_id:uuid}}/merges"
    guards = [console_guard, members_guard]  # noqa: RUF012 - Litestar reads this plain attribute

    # A number in an address would be kept by every log on the way, so it is posted.
    @post("/preview", status_code=200)
    async def look(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[LookAtMerge, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what the two are and what the one will be. Raises what find_partner raises."""
        try:
            other_id = await find_partner(
                tx, member_id=member_id, typed=data.other, by=console_staff.staff_id
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            typed = {"merge_other": data.other}
            return await show_member(
                request, tx, console_staff, member_id=member_id, fact=fact, typed=typed
            )
        return await _show_pair(request, tx, console_staff, member_id, other_id)

    @post("/")
    async def merge(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[MakeMerge, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Let the two become one; go on to who stays. Raises what merge_at_console raises."""
        try:
            merged = await merge_at_console(
                tx,
                request_id=RequestId(data.request_id),
                member_id=member_id,
                other_id=data.other_id,
                reason=data.reason,
                by=console_staff.staff_id,
                now=platform.clock.now(),
            )
        except Fact as fact:
            _raise_unless_untouched(request, fact, member_id)
            return await _show_pair(
                request, tx, console_staff, member_id, data.other_id, fact=fact, reason=data.reason
            )
        return go_on(request, f"{PAGE}/{merged.member_id}?done=merged")

    @post("/{merge_id:uuid}/undo")
    async def undo(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        merge_id: FromPath[UUID],
        data: Annotated[UndoMerge, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take a merge apart. Raises what unmerge_at_console raises."""
        try:
            await unmerge_at_console(
                tx,
                request_id=RequestId(data.request_id),
                member_id=member_id,
                merge_id=merge_id,
                reason=data.reason,
                by=console_staff.staff_id,
                now=platform.clock.now(),
            )
        except Fact as fact:
            _raise_unless_untouched(request, fact, member_id)
            return await show_member(request, tx, console_staff, member_id=member_id, fact=fact)
        return go_on(request, f"{PAGE}/{member_id}?done=unmerged")


def _raise_unless_untouched(request: AnyRequest, fact: Fact, member_id: UUID) -> None:
    """Raise what came up after something was written, so that it is undone with the request."""
    if is_for_program(request) or not isinstance(fact, UNTOUCHED):
        fact.detail.setdefault("retry_url", f"{PAGE}/{member_id}")
        raise fact


async def _show_pair(
    request: AnyRequest,
    tx: Tx,
    console_staff: ConsoleStaff,
    member_id: UUID,
    other_id: UUID,
    *,
    fact: Fact | None = None,
    reason: str = "",
) -> Response[Any]:
    """Show the pair, with what stood in the way; one who is no more is said on the member's page.

    Raises MemberNotFound for another brand's member.
    """
    preview = await preview_merge(
        tx, [member_id, other_id], own_id=None, brand_id=console_staff.brand_id
    )
    if preview is None:
        gone = fact or MemberNotFound(member_id=other_id)
        return await show_member(request, tx, console_staff, member_id=member_id, fact=gone)
    return show_console(
        request,
        console_staff,
        "console/member_merge.html",
        page=SLOT,
        status=fact.status if fact else 200,
        preview=preview,
        member_id=member_id,
        other_id=other_id,
        request_id=new_request_id(),
        reason=reason,
        reason_min=REASON_CHARS_MIN,
        reason_max=REASON_CHARS_MAX,
        fault=fault_of(request, fact) if fact else None,
    )


route_handlers: list[Any] = [ConsoleMerge]
