"""Pages of corrections as the console shows them: the lists, one of them, one being written."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from o2o.crm.statuses import Asset, LotKind, ProposalStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, new_request_id
from o2o.ledger.queries import Wallet, get_wallet
from o2o.membership.queries.adjustments import (
    AdjustmentView,
    MemberFound,
    find_member_of_card,
    get_adjustment,
    list_adjustments,
)
from o2o.membership.rules.adjustments import (
    DECIDERS,
    MONEY_FEN_PER_DAY_MAX,
    POINTS_PER_DAY_MAX,
    PROPOSERS,
    READERS,
)
from o2o.membership.web.programme_forms import typed
from o2o.membership.web.programme_views import StoreOption, check_reader
from o2o.stores.queries import list_stores
from o2o.web.console_frame import show_console
from o2o.web.errors import RoleMissing
from o2o.web.forms import Fault, fault_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
SLOT = "adjustments"
DONE = frozenset({"proposed", "approved", "rejected", "withdrawn"})
# What is put right, as the form names it.
KINDS = {
    "points": (Asset.POINTS, LotKind.POINTS),
    "principal": (Asset.CNY_FEN, LotKind.PRINCIPAL),
    "bonus": (Asset.CNY_FEN, LotKind.BONUS),
}
OPEN = (ProposalStatus.PROPOSED,)
CLOSED = tuple(status for status in ProposalStatus if status is not ProposalStatus.PROPOSED)


class AdjustmentsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, and what was decided."""

    waiting: list[AdjustmentView]
    decided: list[AdjustmentView]
    can_propose: bool
    done: str | None


class AdjustmentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One correction, with what its reader may do about it."""

    item: AdjustmentView
    wallet: Wallet
    can_decide: bool
    can_withdraw: bool
    why: str = ""
    fault: Fault | None = None
    done: str | None = None


class ProposalPage(msgspec.Struct, frozen=True, kw_only=True):
    """A correction being written: first the card, then the rest."""

    card_no: str
    is_unknown: bool
    member: MemberFound | None
    wallet: Wallet | None
    kinds: list[str]
    stores: list[StoreOption]
    needs_store: bool
    values: dict[str, str]
    request_id: str
    points_max: int
    money_fen_max: int
    fault: Fault | None = None


async def show_list(request: AnyRequest, tx: Tx, person: ConsoleStaff) -> Response[Any]:
    """Show what waits for a decision and what was decided, of the reader's stores."""
    check_reader(person, READERS)
    done = request.query_params.get("done")
    store_ids = _readable_stores(person)
    view = AdjustmentsPage(
        waiting=await _list(tx, person, OPEN, store_ids),
        decided=await _list(tx, person, CLOSED, store_ids),
        can_propose=bool(_kinds_of(person)),
        done=done if done in DONE else None,
    )
    return show_console(request, person, "console/adjustments.html", page=SLOT, view=view)


def may_read(person: ConsoleStaff) -> bool:
    """Whether somebody has use for corrections at all."""
    return not READERS.isdisjoint(person.roles)


def _readable_stores(person: ConsoleStaff) -> Sequence[UUID] | None:
    """Return the stores whose corrections somebody reads; None for the whole brand."""
    found: set[UUID] = set()
    for role in READERS & person.roles.keys():
        stores = person.roles[role]
        if stores is None:
            return None
        found |= stores
    return sorted(found)


def _kinds_of(person: ConsoleStaff) -> list[str]:
    return [kind for kind, (asset, _) in KINDS.items() if PROPOSERS[asset] & person.roles.keys()]


async def _list(
    tx: Tx,
    person: ConsoleStaff,
    statuses: Sequence[ProposalStatus],
    store_ids: Sequence[UUID] | None,
) -> list[AdjustmentView]:
    return await list_adjustments(
        tx, brand_id=person.brand_id, statuses=statuses, store_ids=store_ids
    )


def card_no_of(form: dict[str, Any]) -> str:
    """Return the card number that was typed, without spaces."""
    return "".join(typed(form, "card_no").split())


async def show_proposal(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    form: dict[str, Any],
    fact: Fact | None = None,
) -> Response[Any]:
    """Show the form, as typed if it was sent. Raises RoleMissing for who proposes nothing."""
    kinds = _kinds_of(person)
    if not kinds:
        raise RoleMissing
    card_no = card_no_of(form)
    member = await find_member_of_card(tx, brand_id=person.brand_id, card_no=card_no)
    held = frozenset().union(*PROPOSERS.values()) & person.roles.keys()
    proposers = [person.roles[role] for role in held]
    is_everywhere = any(stores is None for stores in proposers)
    stores = await list_stores(
        tx,
        brand_id=person.brand_id,
        store_ids=None if is_everywhere else sorted({s for ids in proposers for s in ids or ()}),
    )
    names = ("kind", "direction", "amount", "store_id", "reason")
    view = ProposalPage(
        card_no=card_no,
        is_unknown=bool(card_no) and member is None,
        member=member,
        wallet=await get_wallet(tx, MemberId(member.member_id)) if member else None,
        kinds=kinds,
        stores=[StoreOption(str(store.id), store.name) for store in stores],
        needs_store=not is_everywhere,
        values={name: typed(form, name) for name in names},
        request_id=typed(form, "request_id") or str(new_request_id()),
        points_max=POINTS_PER_DAY_MAX,
        money_fen_max=MONEY_FEN_PER_DAY_MAX,
        fault=fault_of(request, fact) if fact else None,
    )
    return show_console(
        request,
        person,
        "console/adjustment_new.html",
        page=SLOT,
        status=fact.status if fact else 200,
        view=view,
    )


async def show_one(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    adjustment_id: UUID,
    *,
    fact: Fact | None = None,
    why: str = "",
) -> Response[Any]:
    """Show one with what may be done. Raises AdjustmentNotFound, RoleMissing."""
    check_reader(person, READERS)
    item = await get_adjustment(tx, adjustment_id, brand_id=person.brand_id)
    store_ids = _readable_stores(person)
    if store_ids is not None and item.store_id not in store_ids:
        raise RoleMissing
    is_open = item.status is ProposalStatus.PROPOSED
    is_own = item.proposed_by == person.staff_id
    done = request.query_params.get("done")
    view = AdjustmentPage(
        item=item,
        wallet=await get_wallet(tx, MemberId(item.member_id)),
        can_decide=is_open and not is_own and _decides(person, item.store_id),
        can_withdraw=is_open and is_own,
        why=why,
        fault=fault_of(request, fact) if fact else None,
        done=done if done in DONE else None,
    )
    return show_console(
        request,
        person,
        "console/adjustment.html",
        page=SLOT,
        status=fact.status if fact else 200,
        view=view,
    )


def _decides(person: ConsoleStaff, store_id: UUID | None) -> bool:
    held = [person.roles[role] for role in DECIDERS & person.roles.keys()]
    return any(stores is None or store_id in stores for stores in held)
