"""Shifts at the pad: the sums so far, the cash count, the handover, the next clerk's yes."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses import ShiftStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.money import Fen, format_yuan, parse_yuan
from o2o.kernel.text import without_controls
from o2o.membership.actions.run_shifts import confirm_shift, hand_over_shift, open_shift
from o2o.membership.queries.shifts import (
    ShiftView,
    get_shift,
    list_shifts_of_pad,
    sum_counted,
    sum_uncounted,
)
from o2o.membership.web.pad_errors import AmountNotMoney
from o2o.membership.web.pad_pages import at_pad, counter_guard
from o2o.membership.web.pad_views import pad_frame
from o2o.web.answers import is_for_program
from o2o.web.forms import Fault, go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
AMOUNT_CHARS_MAX = 64
REASON_CHARS_MAX = 200
PIECES_MAX = 9_999
# Notes and coins, in fen.
NOTES = (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10)

Yuan = Annotated[str, msgspec.Meta(max_length=AMOUNT_CHARS_MAX)]
Pieces = Annotated[str, msgspec.Meta(max_length=8)]


class HandOverForm(msgspec.Struct, forbid_unknown_fields=True):
    """What is in the drawer, what is handed in, and why it is not what the books say."""

    seen_fen: int
    counted_yuan: Yuan
    removed_yuan: Yuan = ""
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)] = ""
    n10000: Pieces = ""
    n5000: Pieces = ""
    n2000: Pieces = ""
    n1000: Pieces = ""
    n500: Pieces = ""
    n100: Pieces = ""
    n50: Pieces = ""
    n10: Pieces = ""
    csrf: str = ""

    def pieces(self) -> dict[str, int]:
        """Return how many of each note or coin, where they were counted one by one."""
        typed = {str(note): getattr(self, f"n{note}").strip() for note in NOTES}
        return {
            note: min(int(count), PIECES_MAX)
            for note, count in typed.items()
            if count.isascii() and count.isdecimal() and int(count)
        }


class ShiftPages(Controller):
    """`/pad/shift` and the reports of shifts."""

    path = "/pad"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/shift")
    async def current(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Show the till as it stands, with the count; or what waits to be confirmed."""
        shift = await open_shift(tx, by=at_pad(clerk), now=platform.clock.now())
        return await _page(request, tx, clerk, platform, shift=shift)

    @post("/shifts/{shift_id:uuid}/handover")
    async def hand_over(
        self,
        request: AnyRequest,
        shift_id: FromPath[UUID],
        data: Annotated[HandOverForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """End the shift with its count. Raises what hand_over_shift raises, AmountNotMoney."""
        await hand_over_shift(
            tx,
            shift_id=shift_id,
            by=at_pad(clerk),
            seen_fen=data.seen_fen,
            counted_fen=_fen(data.counted_yuan, field="counted_yuan"),
            removed_fen=_fen(data.removed_yuan or "0", field="removed_yuan"),
            denominations=data.pieces(),
            reason=without_controls(data.reason),
            now=platform.clock.now(),
        )
        return go_on(request, f"/pad/shifts/{shift_id}")

    @post("/shifts/{shift_id:uuid}/confirm")
    async def confirm(
        self,
        request: AnyRequest,
        shift_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Take the till over. Raises ShiftNotCounted."""
        try:
            await confirm_shift(tx, shift_id=shift_id, by=at_pad(clerk), now=platform.clock.now())
        except Fact:
            # Somebody was quicker: the till is taken over, which is all that was wanted.
            if is_for_program(request):
                raise
        return go_on(request, "/pad/scan")

    @get("/shifts/{shift_id:uuid}")
    async def report(
        self,
        request: AnyRequest,
        shift_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Show a shift of the store, for the screen and for paper. Raises ShiftNotFound."""
        shift = await get_shift(tx, shift_id, store_id=clerk.store_id)
        if shift.status is ShiftStatus.OPEN and shift.pad_id == clerk.pad_id:
            return go_on(request, "/pad/shift")
        return show(
            request,
            "pad/shift_report.html",
            frame=await pad_frame(tx, clerk),
            shift=shift,
            sums=await _sums_of(tx, shift, platform),
            is_own_pad=shift.pad_id == clerk.pad_id,
        )


async def _sums_of(tx: Tx, shift: ShiftView, platform: Platform) -> Any:
    if shift.status is ShiftStatus.OPEN:
        return await sum_uncounted(tx, pad_id=shift.pad_id, now=platform.clock.now())
    return await sum_counted(tx, [shift.id])


async def _page(
    request: AnyRequest,
    tx: Tx,
    clerk: Clerk,
    platform: Platform,
    *,
    shift: ShiftView,
    fault: Fault | None = None,
) -> Response[str]:
    sums = await _sums_of(tx, shift, platform)
    expected_fen = shift.float_fen + sums.cash_fen
    return show(
        request,
        "pad/shift.html",
        frame=await pad_frame(tx, clerk),
        shift=shift,
        sums=sums,
        expected_fen=expected_fen,
        expected_yuan=format_yuan(expected_fen).replace(",", ""),
        notes=[(note, format_yuan(note).removesuffix(".00")) for note in NOTES],
        earlier=[
            one for one in await list_shifts_of_pad(tx, pad_id=clerk.pad_id) if one.id != shift.id
        ],
        fault=fault,
    )


def _fen(typed: str, *, field: str) -> Fen:
    try:
        return parse_yuan(typed)
    except ValueError as error:
        raise AmountNotMoney(field=field) from error


route_handlers: list[Any] = [ShiftPages]
