"""Making sure that it is the member: the pay PIN, or a sign-in through WeChat of this moment."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.response import Redirect

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.text import fold_width
from o2o.membership.actions.pay_pin import check_pay_pin
from o2o.membership.errors import CardNeeded, SnapshotSession
from o2o.membership.errors_privacy import StepUpNeeded
from o2o.membership.queries.step_up import find_sureness
from o2o.web.forms import Fault, fault_of
from o2o.web.guards import oauth_start
from o2o.web.platform import platform_of
from o2o.web.principals import Diner

AnyRequest = Request[Any, Any, Any]
FRESH_FOR = timedelta(minutes=10)


class StepUp(msgspec.Struct, frozen=True, kw_only=True):
    """What a form has to ask for. `again_url` leads through WeChat and back."""

    has_pin: bool
    is_fresh: bool
    again_url: str


def member_of(diner: Diner) -> UUID:
    """Return whose page it is. Raises SnapshotSession, CardNeeded."""
    if diner.is_snapshot:
        raise SnapshotSession
    if diner.member_id is None:
        raise CardNeeded
    return diner.member_id


def to_card(diner: Diner) -> Response[Any]:
    """Send somebody without a card to where one is had."""
    return Redirect(
        f"/h5/{diner.account_slug}/card", status_code=303, headers={"Cache-Control": "no-store"}
    )


async def load_step_up(tx: Tx, diner: Diner, *, page: str, now: datetime) -> StepUp:
    """Say what has to be asked on a page of the account (`refunds`, `privacy/delete` …)."""
    sure = await find_sureness(tx, diner.session_hash)
    return StepUp(
        has_pin=sure is not None and sure.has_pin,
        is_fresh=sure is not None and now - sure.signed_in_at <= FRESH_FOR,
        again_url=oauth_start(diner.account_slug, f"/h5/{diner.account_slug}/{page}"),
    )


async def make_sure(tx: Tx, diner: Diner, *, pin: str, now: datetime) -> None:
    """Return when it is the member: by PIN where one was typed, else by a fresh sign-in.

    Call it before the first statement of `tx`, see check_pay_pin. Raises StepUpNeeded and what
    check_pay_pin refuses.
    """
    if pin:
        await check_pay_pin(tx, member_id=member_of(diner), pin=fold_width(pin), now=now)
        return
    sure = await find_sureness(tx, diner.session_hash)
    if sure is None or now - sure.signed_in_at > FRESH_FOR:
        raise StepUpNeeded


def told_of(request: AnyRequest, known: frozenset[str]) -> str:
    """Return what a page that came here by a redirect says once; nothing else gets in."""
    told = request.query_params.get("told", "")
    return told if told in known else ""


def fault_or_none(request: AnyRequest, fact: Fact | None) -> Fault | None:
    """Put what stood in the way into words, if anything did."""
    return fault_of(request, fact) if fact else None


def now_of(request: AnyRequest) -> datetime:
    """Return this request's moment."""
    return platform_of(request).clock.now()
