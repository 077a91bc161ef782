"""`/h5/{account}/bookings`: own bookings, a store's days and times, booking, changing the time."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.crm.statuses_bookings import BookingSource
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.membership.errors import SnapshotSession
from o2o.queueing.booking_commands import Booked, BookSlot, ChangeBooking, NewTime
from o2o.queueing.bookings import Bookings
from o2o.queueing.errors_bookings import (
    BookedAlready,
    BookingsNotTaken,
    SlotFull,
    SlotNotThere,
    TimeNotChosen,
)
from o2o.queueing.queries.booking_plans import (
    get_plan,
    list_bookable_stores,
    list_booked,
)
from o2o.queueing.queries.bookings import KnownBooking, list_mine
from o2o.queueing.rules.booking_asks import read_wall_clock
from o2o.queueing.rules.booking_plan import Plan
from o2o.queueing.web.booking_views import (
    BookingsPage,
    Choice,
    DayTexts,
    MyBooking,
    StoreChoice,
    Suggestion,
    Wanted,
    load_choice,
    suggestions_of,
)
from o2o.stores.queries import list_stores
from o2o.web.answers import is_for_program
from o2o.web.diner_frame import frame_of
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
PAST_MAX = 10
DOOR_CHARS_MAX = 64
Typed = Annotated[str, msgspec.Meta(max_length=64)]


class BookForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the page sends for a time, twelve digits by the store's clock."""

    request_id: UUID
    store_id: UUID
    starts_at: Typed = ""
    party_size: Typed = ""
    queue_id: Typed = ""
    change_id: Typed = ""
    csrf: str = ""


class DinerBookingsPages(Controller):
    """The page, and booking a time."""

    path = "/h5/{account:str}/bookings"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show_bookings(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show own bookings, and a store's days and times or the stores to choose from."""
        if diner.is_snapshot:
            frame = frame_of(diner, language=language_of(request), tab="queue")
            return show(request, "diner/snapshot.html", frame=frame)
        query = request.query_params
        wanted = Wanted(
            store_id=_uuid(query.get("store")),
            on=_day(query.get("on")),
            party_size=_size(query.get("size")),
            queue_id=_uuid(query.get("queue")),
            change_id=_uuid(query.get("change")),
        )
        return await _page(request, tx, diner, wanted=wanted, door=query.get("door") or "")

    @post()
    async def book(
        self,
        request: AnyRequest,
        data: Annotated[BookForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        bookings: NamedDependency[Bookings],
    ) -> Response[Any]:
        """Book the time, or change a booking to it, and go to the booking's page.

        What stands in the way is shown in this page, with free times near by. Raises
        SnapshotSession.
        """
        if diner.is_snapshot:
            raise SnapshotSession
        platform = platform_of(request)
        here = f"/h5/{diner.account_slug}/bookings"
        try:
            booked = await _book(tx, data, diner, bookings=bookings, now=platform.clock.now())
        except BookedAlready as fact:
            return go_on(request, f"{here}/{fact.booking_id}?told=already")
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(
                request, tx, diner, wanted=_wanted(data), fact=fact, status=fact.status
            )
        told = "changed" if _uuid(data.change_id) else "booked"
        return go_on(request, f"{here}/{booked.booking_id}?told={told}")


async def _book(
    tx: Tx, data: BookForm, diner: Diner, *, bookings: Bookings, now: datetime
) -> Booked:
    plan = await _plan_of(tx, data.store_id, diner=diner, now=now)
    starts_at = _moment(data.starts_at, plan)
    if (change_id := _uuid(data.change_id)) is not None:
        change = ChangeBooking(
            request_id=data.request_id,
            booking_id=change_id,
            is_by_guest=True,
            fan_id=diner.fan_id,
            member_id=diner.member_id,
            now=now,
        )
        new = NewTime(
            starts_at=starts_at,
            party_size=_size(data.party_size),
            queue_id=_uuid(data.queue_id),
        )
        return await bookings.reschedule(change, new)
    return await bookings.book(
        BookSlot(
            request_id=data.request_id,
            store_id=data.store_id,
            brand_id=diner.brand_id,
            starts_at=starts_at,
            party_size=_size(data.party_size),
            queue_id=_uuid(data.queue_id),
            source=BookingSource.PAGE,
            member_id=diner.member_id,
            fan_id=diner.fan_id,
            now=now,
        )
    )


async def _plan_of(tx: Tx, store_id: UUID, *, diner: Diner, now: datetime) -> Plan:
    """Return how a store of the diner's brand is booked. Raises BookingsNotTaken."""
    plan = await get_plan(tx, store_id, now=now)
    if plan.brand_id != diner.brand_id:
        raise BookingsNotTaken
    return plan


def _moment(typed: str, plan: Plan) -> datetime:
    """Return the chosen time. Raises TimeNotChosen."""
    at = read_wall_clock(typed)
    if at is None:
        raise TimeNotChosen
    return at.replace(tzinfo=plan.zone)


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    wanted: Wanted,
    fact: Fact | None = None,
    status: int = 200,
    door: str = "",
) -> Response[Any]:
    platform, language = platform_of(request), language_of(request)
    now = platform.clock.now()
    texts = DayTexts(platform.words, language=language, now=now)
    mine = await list_mine(tx, fan_id=diner.fan_id, member_id=diner.member_id)
    stores = await _stores(tx, diner)
    store_id = wanted.store_id or (stores[0].store_id if len(stores) == 1 else None)
    choice, suggestions = None, list[Suggestion]()
    if store_id is not None:
        plan = await _plan_of(tx, store_id, diner=diner, now=now)
        choice = load_choice(
            plan,
            await list_booked(tx, store_id, now=now),
            wanted=wanted,
            change_code=_code_of(mine, wanted.change_id),
            can_choose_store=len(stores) > 1 and wanted.change_id is None,
            texts=texts,
            language=language,
            now=now,
        )
        suggestions = _suggestions(fact, plan, choice, texts=texts)
    page = BookingsPage(
        mine=[MyBooking.of(one, texts) for one in mine[:PAST_MAX]],
        stores=stores if choice is None else [],
        choice=choice,
        request_id=new_request_id(),
        fault=_fault(request, fact),
        suggestions=suggestions,
        door=door[:DOOR_CHARS_MAX],
    )
    frame = frame_of(diner, language=language, tab="queue")
    return show(request, "diner/bookings.html", status=status, frame=frame, view=page)


def _fault(request: AnyRequest, fact: Fact | None) -> Fault | None:
    return fault_of(request, fact) if fact is not None else None


def _suggestions(
    fact: Fact | None, plan: Plan, choice: Choice, *, texts: DayTexts
) -> list[Suggestion]:
    if not isinstance(fact, SlotFull | SlotNotThere):
        return []
    asked = date.fromisoformat(choice.on)
    return suggestions_of(fact.nearest, plan.zone, asked=asked, texts=texts)


async def _stores(tx: Tx, diner: Diner) -> list[StoreChoice]:
    ids = (await list_bookable_stores(tx, [diner.account_id]))[diner.account_id]
    stores = await list_stores(tx, brand_id=diner.brand_id, store_ids=ids) if ids else []
    return [StoreChoice(store_id=s.id, name=s.name, address=s.address) for s in stores]


def _code_of(mine: list[KnownBooking], booking_id: UUID | None) -> str:
    return next((one.code for one in mine if one.booking_id == booking_id), "")


def _wanted(data: BookForm) -> Wanted:
    return Wanted(
        store_id=data.store_id,
        on=_day(f"{data.starts_at[:4]}-{data.starts_at[4:6]}-{data.starts_at[6:8]}"),
        party_size=_size(data.party_size),
        queue_id=_uuid(data.queue_id),
        change_id=_uuid(data.change_id),
    )


def _size(value: str | None) -> int | None:
    is_number = value is not None and value.isascii() and value.isdigit() and len(value) <= 4
    return int(value) if value is not None and is_number else None


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


route_handlers = [DinerBookingsPages]
