"""Changing what staff keep of a member: tags, notes, relations, tastes; each a small form."""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import RelationKind, TasteKind
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import RequestId
from o2o.membership.actions.declare_tastes import declare_taste, forget_taste
from o2o.membership.actions.relate_members import part_members, relate_members
from o2o.membership.actions.tag_members import add_tag, remove_tag
from o2o.membership.actions.write_note import pin_note, write_note
from o2o.membership.web.console_member_page import PAGE, show_member
from o2o.membership.web.console_members import members_guard
from o2o.web.answers import is_for_program
from o2o.web.forms import go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
Typed = Annotated[str, msgspec.Meta(max_length=8_000)]
Form = RequestEncodingType.URL_ENCODED


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tag to put on or take off."""

    tag: Typed
    csrf: str = ""


class WriteNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note; the page made its intention when it was shown."""

    body: Typed
    request_id: UUID
    is_pinned: Literal["", "1"] = ""
    csrf: str = ""


class PinNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the note shall be pinned."""

    is_pinned: Literal["", "1"] = ""
    csrf: str = ""


class Relate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another member by the whole of a phone or card, and what the two are."""

    other: Typed
    sort: Literal["brought", "brought_by", "family"]
    csrf: str = ""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A relation to take back."""

    other_id: UUID
    kind: RelationKind
    csrf: str = ""


class Declare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the member said of an ingredient or a dish."""

    word: Typed
    kind: TasteKind
    csrf: str = ""


class Forget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A taste to take back."""

    word: Typed
    csrf: str = ""


class ConsoleDossier(Controller):
    """Each change goes on to the member's page; the action refuses whoever may not make it."""

    path = f"{PAGE}/{{member_id:uuid}}"
    guards = [console_guard, members_guard]  # noqa: RUF012 - Litestar reads this plain attribute

    @post("/tags")
    async def add_tag(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[Tag, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Put a tag on. Raises TagUnreadable, TagsTooMany."""
        now, by = platform.clock.now(), console_staff.staff_id
        change = add_tag(tx, member_id=member_id, tag=data.tag, by=by, now=now)
        typed = {"tag": data.tag}
        return await _changed(request, tx, console_staff, member_id, change, typed=typed)

    @post("/tags/removals")
    async def remove_tag(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[Tag, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take a tag off."""
        now, by = platform.clock.now(), console_staff.staff_id
        change = remove_tag(tx, member_id=member_id, tag=data.tag, by=by, now=now)
        return await _changed(request, tx, console_staff, member_id, change)

    @post("/notes")
    async def write_note(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[WriteNote, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Write a note. Raises NoteUnreadable."""
        change = write_note(
            tx,
            request_id=RequestId(data.request_id),
            member_id=member_id,
            body=data.body,
            is_pinned=bool(data.is_pinned),
            by=console_staff.staff_id,
            now=platform.clock.now(),
        )
        typed = {"body": data.body}
        return await _changed(request, tx, console_staff, member_id, change, typed=typed)

    @post("/notes/{note_id:uuid}/pin")
    async def pin_note(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        note_id: FromPath[UUID],
        data: Annotated[PinNote, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Pin a note to the top, or unpin it. Raises NoteNotFound."""
        change = pin_note(
            tx,
            member_id=member_id,
            note_id=note_id,
            is_pinned=bool(data.is_pinned),
            by=console_staff.staff_id,
            now=platform.clock.now(),
        )
        return await _changed(request, tx, console_staff, member_id, change)

    @post("/relations")
    async def relate(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[Relate, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Relate the member to another. Raises OtherMemberUnknown, AlreadyBrought…"""
        change = relate_members(
            tx,
            member_id=member_id,
            other=data.other,
            kind=RelationKind.FAMILY if data.sort == "family" else RelationKind.BROUGHT,
            was_brought=data.sort == "brought_by",
            by=console_staff.staff_id,
            now=platform.clock.now(),
        )
        typed = {"other": data.other, "sort": data.sort}
        return await _changed(request, tx, console_staff, member_id, change, typed=typed)

    @post("/relations/removals")
    async def part(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[Part, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take a relation back."""
        change = part_members(
            tx,
            member_id=member_id,
            other_id=data.other_id,
            kind=data.kind,
            by=console_staff.staff_id,
            now=platform.clock.now(),
        )
        return await _changed(request, tx, console_staff, member_id, change)

    @post("/tastes")
    async def declare(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[Declare, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Keep what the member said of food. Raises TasteUnreadable, TastesTooMany."""
        change = declare_taste(
            tx,
            member_id=member_id,
            word=data.word,
            kind=data.kind,
            by=console_staff.staff_id,
            now=platform.clock.now(),
        )
        typed = {"word": data.word, "kind": data.kind.value}
        return await _changed(request, tx, console_staff, member_id, change, typed=typed)

    @post("/tastes/removals")
    async def forget(
        self,
        request: AnyRequest,
        member_id: FromPath[UUID],
        data: Annotated[Forget, Body(media_type=Form)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take a taste back."""
        now, by = platform.clock.now(), console_staff.staff_id
        change = forget_taste(tx, member_id=member_id, word=data.word, by=by, now=now)
        return await _changed(request, tx, console_staff, member_id, change)


async def _changed(
    request: AnyRequest,
    tx: Tx,
    console_staff: ConsoleStaff,
    member_id: UUID,
    change: Awaitable[object],
    *,
    typed: dict[str, str] | None = None,
) -> Response[Any]:
    """Make a change and go on to the member's page, or show there what stood in the way.

    Every action refuses before it writes, so that nothing is kept of a refused change.
    """
    try:
        await change
    except Fact as fact:
        if is_for_program(request):
            raise
        return await show_member(
            request, tx, console_staff, member_id=member_id, fact=fact, typed=typed
        )
    return go_on(request, f"{PAGE}/{member_id}?done=saved")


route_handlers: list[Any] = [ConsoleDossier]
