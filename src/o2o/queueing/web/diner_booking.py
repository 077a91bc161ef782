"""`/h5/{account}/bookings/{id}`: one booking, calling it off, and checking in at the door."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from o2o.crm.statuses_bookings import BookingStatus
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.errors import SnapshotSession
from o2o.queueing.booking_commands import ChangeBooking
from o2o.queueing.bookings import Bookings
from o2o.queueing.errors_bookings import BookingNotFound
from o2o.queueing.queries.booking_plans import get_plan
from o2o.queueing.queries.bookings import KnownBooking, get_booking, list_mine, list_ticket_codes
from o2o.queueing.queries.doors import get_door
from o2o.queueing.rules.booking_arrival import Arrival, arrival_of, early_from
from o2o.queueing.rules.booking_plan import Plan
from o2o.queueing.web.booking_views import BookingPage, DayTexts, MyBooking
from o2o.queueing.web.doors import check_door
from o2o.web.answers import is_for_program
from o2o.web.diner_frame import frame_of
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.panels import Panel, Panels
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
CARD_PANELS = "diner.card"
SHOWN_ON_CARD = 2
# What a page that came here by a redirect says once; anything else in the address says nothing.
_TOLD = frozenset({"booked", "changed", "already", "cancelled"})
Typed = Annotated[str, msgspec.Meta(max_length=64)]


class CancelForm(msgspec.Struct, frozen=True, kw_only=True):
    """The person will not come."""

    csrf: str = ""


class ArriveForm(msgspec.Struct, frozen=True, kw_only=True):
    """The person is at the door, as its code proves."""

    door: Typed = ""
    csrf: str = ""


class DinerBookingPages(Controller):
    """One booking."""

    path = "/h5/{account:str}/bookings/{booking_id:uuid}"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show_booking(
        self,
        request: AnyRequest,
        booking_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[Any]:
        """Show one's own booking. Raises BookingNotFound."""
        told = request.query_params.get("told", "")
        door = request.query_params.get("door", "")
        return await _page(request, tx, diner, booking_id=booking_id, told=told, door=door)

    @post("/cancel", status_code=200)
    async def cancel(
        self,
        request: AnyRequest,
        booking_id: FromPath[UUID],
        data: Annotated[CancelForm, Body(media_type=RequestEncodingType.URL_ENCODED)],  # noqa: ARG002 - the token of the page
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        bookings: NamedDependency[Bookings],
    ) -> Response[Any]:
        """Call it off; the page says what stands in the way. Raises SnapshotSession."""
        if diner.is_snapshot:
            raise SnapshotSession
        try:
            await bookings.cancel(_change(booking_id, diner, now=platform_of(request).clock.now()))
        except BookingNotFound:
            raise
        except Fact as fact:
            return await _refused(request, tx, diner, booking_id=booking_id, fact=fact)
        return go_on(request, f"{_here(diner)}/{booking_id}?told=cancelled")

    @post("/arrive", status_code=200)
    async def arrive(
        self,
        request: AnyRequest,
        booking_id: FromPath[UUID],
        data: Annotated[ArriveForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        bookings: NamedDependency[Bookings],
    ) -> Response[Any]:
        """Check in, and go to the number. Raises SnapshotSession."""
        if diner.is_snapshot:
            raise SnapshotSession
        platform = platform_of(request)
        booking = await _own(tx, diner, booking_id)
        door = await get_door(tx, booking.store_id, brand_id=diner.brand_id)
        try:
            # From home nobody has arrived: the code hangs at the door, or a clerk checks in.
            check_door(platform.seal, door, data.door)
            arrived = await bookings.arrive(_change(booking_id, diner, now=platform.clock.now()))
        except Fact as fact:
            return await _refused(
                request, tx, diner, booking_id=booking_id, fact=fact, door=data.door
            )
        return go_on(request, f"/h5/{diner.account_slug}/tickets/{arrived.ticket_id}")


def _here(diner: Diner) -> str:
    return f"/h5/{diner.account_slug}/bookings"


def _change(booking_id: UUID, diner: Diner, *, now: datetime) -> ChangeBooking:
    return ChangeBooking(
        booking_id=booking_id,
        is_by_guest=True,
        fan_id=diner.fan_id,
        member_id=diner.member_id,
        now=now,
    )


async def _own(tx: Tx, diner: Diner, booking_id: UUID) -> KnownBooking:
    """Return the reader's own booking. Raises BookingNotFound."""
    booking = await get_booking(tx, booking_id)
    if not booking.is_of(fan_id=diner.fan_id, member_id=diner.member_id):
        raise BookingNotFound
    return booking


async def _refused(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    booking_id: UUID,
    fact: Fact,
    door: str = "",
) -> Response[Any]:
    if is_for_program(request):
        raise fact
    return await _page(request, tx, diner, booking_id=booking_id, fact=fact, door=door)


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    booking_id: UUID,
    told: str = "",
    door: str = "",
    fact: Fact | None = None,
) -> Response[Any]:
    platform, language = platform_of(request), language_of(request)
    now = platform.clock.now()
    booking = await _own(tx, diner, booking_id)
    plan = await get_plan(tx, booking.store_id, now=now)
    tickets = await list_ticket_codes(tx, [booking_id])
    ticket_id, ticket_code = tickets.get(booking_id, (None, ""))
    texts = DayTexts(platform.words, language=language, now=now)
    page = BookingPage(
        booking=MyBooking.of(booking, texts),
        store_address=plan.store_address,
        code_letters=" ".join(booking.code),
        ticket_id=ticket_id,
        ticket_code=ticket_code,
        door=door if _may_arrive(booking, plan, now=now) else "",
        early_text=_early_text(booking, plan),
        grace_minutes=plan.grace_minutes,
        can_change=booking.status is BookingStatus.BOOKED and booking.starts_at > now,
        fault=fault_of(request, fact) if fact else None,
        told=told if told in _TOLD else "",
    )
    frame = frame_of(diner, language=language, tab="queue")
    status = fact.status if fact else 200
    return show(request, "diner/booking.html", status=status, frame=frame, view=page)


def _may_arrive(booking: KnownBooking, plan: Plan, *, now: datetime) -> bool:
    arrival = arrival_of(
        booking.starts_at,
        now=now,
        early_minutes=plan.early_minutes,
        grace_minutes=plan.grace_minutes,
        no_show_minutes=plan.no_show_minutes,
    )
    is_expected = arrival in {Arrival.IN_TIME, Arrival.LATE}
    return booking.status is BookingStatus.BOOKED and is_expected


def _early_text(booking: KnownBooking, plan: Plan) -> str:
    early = early_from(booking.starts_at, early_minutes=plan.early_minutes)
    return f"{early.astimezone(ZoneInfo(booking.timezone)):%H:%M}"


def register(panels: Panels) -> None:
    """Put the bookings that are to come onto the card."""
    panels.add(
        CARD_PANELS,
        Panel(name="bookings", template="diner/_booking_panel.html", load=_coming, order=3),
    )


async def _coming(tx: Tx, diner: Diner) -> Any | None:
    if diner.is_snapshot:
        return None
    mine = await list_mine(tx, fan_id=diner.fan_id, member_id=diner.member_id, most=SHOWN_ON_CARD)
    coming = [one for one in mine if one.status is BookingStatus.BOOKED]
    return {"slug": diner.account_slug, "bookings": coming} if coming else None


route_handlers = [DinerBookingPages]
