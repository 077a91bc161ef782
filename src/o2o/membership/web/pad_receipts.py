"""Receipts at the pad: shown, printed (and marked when printed again), and undone from."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import StaffRoleName, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.ids import RequestId, new_request_id
from o2o.kernel.text import without_controls
from o2o.membership.actions.count_print import count_print
from o2o.membership.actions.undo_at_counter import UndoAtCounter, may_undo, undo_at_counter
from o2o.membership.counter_steps import CounterSteps
from o2o.membership.queries.pad_day import Receipt, find_receipt
from o2o.membership.queries.receipts import ReceiptStory, find_undo_receipt, get_receipt_story
from o2o.membership.web.pad_errors import ReceiptNotFound
from o2o.membership.web.pad_pages import at_pad, counter_guard
from o2o.membership.web.pad_views import pad_frame, receipt_page
from o2o.staff.queries import list_staff
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
REASON_CHARS_MAX = 100
_UNDOINGS = frozenset({TransferKind.DEBIT_REVERSED, TransferKind.TOP_UP_REVERSED})


class UndoForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is undone, and where a manager has to say so, who and with which PIN."""

    request_id: UUID
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)] = ""
    manager: Annotated[str, msgspec.Meta(max_length=64)] = ""
    manager_pin: Annotated[str, msgspec.Meta(max_length=64)] = ""
    csrf: str = ""


class ReceiptPages(Controller):
    """`/pad/receipts/{transfer}`, for the store's own pads only."""

    path = "/pad/receipts/{transfer_id:uuid}"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def receipt(
        self,
        request: AnyRequest,
        transfer_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[str]:
        """Show what a charge, a top-up or an undoing did. Raises ReceiptNotFound."""
        return await _page(request, tx, clerk, platform, transfer_id=transfer_id)

    @post("/prints", status_code=200)
    async def printed(
        self,
        request: AnyRequest,
        transfer_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Count a print before the paper comes. Raises ReceiptNotFound."""
        await _get_receipt(tx, transfer_id, clerk, platform)
        prints = await count_print(tx, transfer_id=transfer_id, now=platform.clock.now())
        return go_on(request, f"/pad/receipts/{transfer_id}", prints=prints)

    @post("/undo")
    async def undo(
        self,
        request: AnyRequest,
        transfer_id: FromPath[UUID],
        data: Annotated[UndoForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Take it back. Raises what undo_at_counter and CounterSteps.manager_by_pin raise."""
        approved_by = None
        if data.manager_pin:
            # Before `tx` is used: the try is counted in transactions of its own.
            steps = CounterSteps(sessions=platform.sessions, clock=platform.clock)
            approved_by = await steps.manager_by_pin(
                login=data.manager, pin=data.manager_pin, by=at_pad(clerk)
            )
        elif StaffRoleName.MANAGER in clerk.roles:
            approved_by = clerk.staff_id
        undone = await undo_at_counter(
            tx,
            UndoAtCounter(
                request_id=RequestId(data.request_id),
                transfer_id=transfer_id,
                by=at_pad(clerk),
                reason=without_controls(data.reason),
                approved_by=approved_by,
                now=platform.clock.now(),
            ),
        )
        return go_on(request, f"/pad/receipts/{undone.transfer_id}")


async def _get_receipt(tx: Tx, transfer_id: UUID, clerk: Clerk, platform: Platform) -> Receipt:
    now = platform.clock.now()
    found = await find_receipt(tx, transfer_id, store_id=clerk.store_id, now=now)
    found = found or await find_undo_receipt(tx, transfer_id, store_id=clerk.store_id)
    if found is None:
        raise ReceiptNotFound
    return found


async def _page(
    request: AnyRequest, tx: Tx, clerk: Clerk, platform: Platform, *, transfer_id: UUID
) -> Response[str]:
    receipt = await _get_receipt(tx, transfer_id, clerk, platform)
    story = await get_receipt_story(tx, transfer_id)
    is_undoing = receipt.kind in _UNDOINGS
    needs_manager = _needs_manager(receipt, story, clerk, platform)
    return show(
        request,
        "pad/receipt.html",
        frame=await pad_frame(tx, clerk),
        view=receipt_page(receipt, pad_id=clerk.pad_id),
        story=story,
        is_undoing=is_undoing,
        can_undo=not is_undoing and story.undone_at is None,
        needs_manager=needs_manager,
        managers=await _managers(tx, clerk) if needs_manager else [],
        undo_request_id=new_request_id(),
        fault=None,
    )


def _needs_manager(receipt: Receipt, story: ReceiptStory, clerk: Clerk, platform: Platform) -> bool:
    is_own = may_undo(
        made_by=story.made_by,
        made_at=receipt.at,
        staff_id=clerk.staff_id,
        now=platform.clock.now(),
    )
    return not is_own and StaffRoleName.MANAGER not in clerk.roles


async def _managers(tx: Tx, clerk: Clerk) -> list[tuple[str, str]]:
    """Return login and name of those whose PIN lets an undoing pass here."""
    return [
        (person.login, person.name)
        for person in await list_staff(tx, brand_id=clerk.brand_id)
        if not person.is_disabled
        and StaffRoleName.MANAGER in person.roles
        and ((stores := person.roles[StaffRoleName.MANAGER]) is None or clerk.store_id in stores)
    ]


route_handlers: list[Any] = [ReceiptPages]
