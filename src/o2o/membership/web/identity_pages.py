"""Showing the pages about phone, name and cards, with what stood in the way of the last step."""

from typing import Any

from litestar import Request, Response

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.errors import ConsentMissing, SnapshotSession, TermsChanged
from o2o.membership.queries.joinable import find_joinable
from o2o.membership.queries.merge_preview import preview_merge
from o2o.membership.web.demo import demo_cards
from o2o.membership.web.identity_views import (
    ConfirmPage,
    load_bind_page,
    load_change_page,
    load_code_page,
)
from o2o.membership.web.views import frame_of
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.language import language_of
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
TOLD = frozenset(
    {"phone", "phone_joined", "named", "card", "card_joined", "lost", "card_lost", "undone"}
)


def is_sms_offered(platform: Platform) -> bool:
    """Whether anybody carries text messages for us."""
    return bool(platform.settings.sms_provider)


def checked_terms(
    diner: Diner, *, membership: str, terms_version: str, in_force: str
) -> str | None:
    """Return the terms somebody without a card agreed to; None for a member.

    Raises ConsentMissing, TermsChanged.
    """
    if diner.member_id is not None:
        return None
    if membership != "yes":
        raise ConsentMissing
    if terms_version != in_force:
        raise TermsChanged(terms_version=in_force)
    return terms_version


def check_is_person(diner: Diner) -> None:
    """Raise SnapshotSession for the virtual user of a snapshot page."""
    if diner.is_snapshot:
        raise SnapshotSession


async def show_bind(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    fact: Fact | None = None,
    fault_in: str = "",
    typed: dict[str, str] | None = None,
) -> Response[str]:
    """Show phone, name and cards, with what stood in the way of the last step."""
    platform = platform_of(request)
    frame = frame_of(diner, language=language_of(request), tab="me")
    if diner.is_snapshot:
        return show(request, "diner/snapshot.html", frame=frame)
    told = request.query_params.get("told", "")
    page = await load_bind_page(
        tx,
        diner,
        frame=frame,
        sms_offered=is_sms_offered(platform),
        now=platform.clock.now(),
        told=told if told in TOLD else "",
        fault=fault_of(request, fact) if fact else None,
        fault_in=fault_in,
        typed=typed,
    )
    status = fact.status if fact else 200
    at_hand = demo_cards(request, diner.account_slug)
    return show(
        request, "diner/bind.html", status=status, frame=frame, view=page, demo_cards=at_hand
    )


async def show_code(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    purpose: VerificationPurpose,
    fact: Fact | None = None,
) -> Response[Any]:
    now = platform_of(request).clock.now()
    fault = fault_of(request, fact) if fact else None
    page = await load_code_page(tx, diner, purpose=purpose, now=now, fault=fault)
    if page is None or diner.is_snapshot:
        return go_on(request, f"/h5/{diner.account_slug}/bind")
    frame = frame_of(diner, language=language_of(request), tab="me")
    status = fact.status if fact else 200
    return show(request, "diner/bind_code.html", status=status, frame=frame, view=page)


async def show_confirm(
    request: AnyRequest, tx: Tx, diner: Diner, *, fault: Fault | None = None, status: int = 200
) -> Response[Any]:
    now = platform_of(request).clock.now()
    found = await find_joinable(tx, diner, now=now)
    preview = await preview_merge(tx, found.all_ids, own_id=diner.member_id) if found else None
    if found is None or preview is None or diner.is_snapshot:
        return go_on(request, f"/h5/{diner.account_slug}/bind")
    page = ConfirmPage(
        preview=preview, members=",".join(str(id_) for id_ in found.owner_ids), fault=fault
    )
    frame = frame_of(diner, language=language_of(request), tab="me")
    return show(request, "diner/bind_confirm.html", status=status, frame=frame, view=page)


async def show_change(
    request: AnyRequest, tx: Tx, diner: Diner, *, fault: Fault | None = None, status: int = 200
) -> Response[Any]:
    platform = platform_of(request)
    page = await load_change_page(
        tx, diner, sms_offered=is_sms_offered(platform), now=platform.clock.now(), fault=fault
    )
    if page is None or diner.is_snapshot:
        return go_on(request, f"/h5/{diner.account_slug}/bind")
    frame = frame_of(diner, language=language_of(request), tab="me")
    return show(request, "diner/bind_change.html", status=status, frame=frame, view=page)


def after_binding(diner: Diner, *, is_new: bool, told: str) -> str:
    """Return where somebody goes whose phone or card was bound."""
    page = f"/h5/{diner.account_slug}"
    return f"{page}/card?told=welcome" if is_new else f"{page}/bind?told={told}"
