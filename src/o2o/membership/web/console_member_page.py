"""Showing one member in the console: head, what staff keep, the line of time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.response import Redirect

from o2o.crm.statuses import TasteKind
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.open_dossier import look_into_dossier
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries.dossier import get_dossier
from o2o.membership.queries.identity import list_survivors
from o2o.membership.queries.members import get_member_view
from o2o.membership.queries.search import list_tags
from o2o.membership.queries.taste import get_taste
from o2o.membership.queries.timeline import Contact, list_contacts
from o2o.membership.rules.dossier import MAY_SEE_PHONE, MAY_WRITE, TAG_CHARS_MAX
from o2o.web.console_frame import show_console
from o2o.web.copy import Words
from o2o.web.forms import fault_of
from o2o.web.platform import platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/members"
SLOT = "members"
# Domains add panels to a member's page here; they are given a MemberPageContext.
PANELS = "console.member"
SUGGESTED_TAGS_MAX = 12
DONE = frozenset({"saved", "merged", "unmerged"})


class MemberPageContext(msgspec.Struct, frozen=True, kw_only=True):
    """What panels in the slot `console.member` are given."""

    member_id: UUID
    brand_id: UUID
    console_staff: ConsoleStaff
    now: datetime


class ContactLine(msgspec.Struct, frozen=True, kw_only=True):
    """A contact with the key of its words."""

    words_key: str
    contact: Contact


async def show_member(
    request: AnyRequest,
    tx: Tx,
    console_staff: ConsoleStaff,
    *,
    member_id: UUID,
    fact: Fact | None = None,
    typed: dict[str, str] | None = None,
    phone: str | None = None,
) -> Response[Any]:
    """Show a member, with what stood in the way of the last step, if anything did.

    A member who became one with another is shown there. Raises MemberNotFound, PlaceUnknown.
    """
    platform = platform_of(request)
    now = platform.clock.now()
    try:
        await look_into_dossier(tx, member_id=member_id, by=console_staff.staff_id, now=now)
    except MemberNotFound:
        survivor = (await list_survivors(tx, [member_id])).get(member_id)
        if survivor is None:
            raise
        await get_member_view(tx, survivor, brand_id=console_staff.brand_id)
        return Redirect(f"{PAGE}/{survivor}", status_code=302)
    dossier = await get_dossier(tx, member_id, brand_id=console_staff.brand_id)
    place = request.query_params.get("after") or None
    timeline = await list_contacts(tx, member_id, place=place)
    context = MemberPageContext(
        member_id=member_id, brand_id=console_staff.brand_id, console_staff=console_staff, now=now
    )
    known = await list_tags(tx, console_staff.brand_id)
    return show_console(
        request,
        console_staff,
        "console/member.html",
        page=SLOT,
        status=fact.status if fact else 200,
        dossier=dossier,
        taste=await get_taste(tx, member_id, store_id=None, now=now),
        lines=contact_lines(timeline.contacts, platform.words),
        older=quote(timeline.next_place) if timeline.next_place else None,
        is_latest=place is None,
        suggested=[tag for tag in known if tag not in dossier.tags][:SUGGESTED_TAGS_MAX],
        tag_chars_max=TAG_CHARS_MAX,
        taste_kinds=[kind.value for kind in TasteKind],
        panels=await platform.panels.load(PANELS, tx, context),
        can_write=not MAY_WRITE.isdisjoint(console_staff.roles),
        can_see_phone=not MAY_SEE_PHONE.isdisjoint(console_staff.roles),
        note_request_id=new_request_id(),
        phone=phone,
        fault=fault_of(request, fact) if fact else None,
        typed=typed or {},
        done=next((word for word in DONE if word == request.query_params.get("done")), None),
    )


def contact_lines(contacts: Sequence[Contact], words: Words) -> list[ContactLine]:
    """Find the words of each contact; a kind that has none of its own is named by its stream."""
    lines = []
    for contact in contacts:
        key = f"members.timeline.{contact.stream}.{contact.kind.replace('.', '_')}"
        if words.find(key) is None:
            key = f"members.timeline.{contact.stream}.other"
        lines.append(ContactLine(words_key=key, contact=contact))
    return lines
