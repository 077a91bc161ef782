"""The JSON API of bookings: a store's slots and bookings, book, call off, change, check in."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from o2o.crm.statuses_bookings import BookingSource, BookingStatus
from o2o.infra.database import Tx
from o2o.kernel.clock import Clock
from o2o.queueing.booking_commands import Arrived, Booked, BookSlot, ChangeBooking, NewTime
from o2o.queueing.bookings import Bookings
from o2o.queueing.queries.booking_day import DayBooking, list_day
from o2o.queueing.queries.booking_plans import get_plan, list_free_slots
from o2o.stores.queries import get_store
from o2o.web.api_parts import READ_RESPONSES, named, write_responses
from o2o.web.errors import RequestInvalid
from o2o.web.guards import api_guard, provide_api_client
from o2o.web.principals import APIClient
from o2o.web.strict_json import refuse_lenient_json

READ, WRITE = "bookings:read", "bookings:write"
REASON_CHARS_MAX = 60
# Beyond any party there is: refused like every other size that is not booked here.
PARTY_SIZE_MAX = 32_000

AnyRequest = Request[Any, Any, Any]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]


class MakeBooking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party wants to come at `starts_at`, the beginning of a slot; without a queue, to the one
    that fits it. Without a size it is as large as the store says is usual.
    """

    request_id: UUID
    starts_at: datetime
    party_size: int | None = None
    queue_id: UUID | None = None
    member_id: UUID | None = None


class CancelBooking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The store calls a booking off; whoever booked is told the reason."""

    request_id: UUID
    reason: Reason | None = None


class CheckIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whoever booked is here."""

    request_id: UUID


class RescheduleBooking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A booking is for another time, or a party of another size, from now on."""

    request_id: UUID
    starts_at: datetime
    party_size: int | None = None
    queue_id: UUID | None = None


class BookingView(msgspec.Struct, frozen=True, kw_only=True):
    """A booking as it stands; `code` is what the guest shows or says."""

    booking_id: UUID
    code: str
    status: BookingStatus
    store_id: UUID
    queue_id: UUID
    starts_at: datetime
    party_size: int


class DayBookingView(msgspec.Struct, frozen=True, kw_only=True):
    """A booking of a day; `no_shows` is how often its person did not come in 180 days."""

    booking_id: UUID
    code: str
    status: BookingStatus
    queue_id: UUID
    starts_at: datetime
    party_size: int
    source: BookingSource
    member_id: UUID | None
    ticket_id: UUID | None
    ticket_code: str | None
    no_shows: int


class DayBookingsView(msgspec.Struct, frozen=True, kw_only=True):
    """The bookings of a date of the store's calendar, by time."""

    store_id: UUID
    on: date
    bookings: list[DayBookingView]


class SlotView(msgspec.Struct, frozen=True, kw_only=True):
    """A slot with so many places left."""

    queue_id: UUID
    starts_at: datetime
    party_size_min: int
    party_size_max: int
    places_left: int


class SlotsView(msgspec.Struct, frozen=True, kw_only=True):
    """The slots that can be booked from now on."""

    store_id: UUID
    slots: list[SlotView]


class ArrivedView(msgspec.Struct, frozen=True, kw_only=True):
    """The number under which the turn comes. `parties_ahead` is null when sent again."""

    booking_id: UUID
    ticket_id: UUID
    ticket_code: str
    parties_ahead: int | None
    is_late: bool


class StoreBookingsAPI(Controller):
    """`/api/v1/stores/{id}/bookings` and `/slots`."""

    path = "/stores/{store_id:uuid}"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["bookings"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @get(
        "/bookings",
        opt={"scope": READ},
        summary="The bookings of a day",
        responses=READ_RESPONSES,
    )
    async def list_bookings(
        self,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clock: NamedDependency[Clock],
        request: AnyRequest,
        on: FromQuery[date | None] = None,
    ) -> DayBookingsView:
        """Answer the bookings of `on`, a date of the store's calendar; today without it."""
        client = provide_api_client(request)
        store = await get_store(tx, store_id, brand_id=client.brand_id)
        plan = await get_plan(tx, store.id, now=clock.now())
        day = on or plan.day_of(clock.now())
        _check_year(day.year, field="on")
        found = await list_day(tx, store.id, day, zone=plan.zone, now=clock.now())
        return DayBookingsView(
            store_id=store.id, on=day, bookings=[_row(one, plan.zone) for one in found]
        )

    @get(
        "/slots",
        opt={"scope": READ},
        summary="The slots that have places",
        responses=READ_RESPONSES,
    )
    async def list_slots(
        self,
        store_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        clock: NamedDependency[Clock],
        request: AnyRequest,
        party_size: FromQuery[int | None] = None,
    ) -> SlotsView:
        """Answer what can be booked today and in the five days after it."""
        client = provide_api_client(request)
        store = await get_store(tx, store_id, brand_id=client.brand_id)
        plan = await get_plan(tx, store.id, now=clock.now())
        free = await list_free_slots(tx, plan, now=clock.now(), party_size=party_size)
        slots = [
            SlotView(
                queue_id=slot.queue_id,
                starts_at=slot.starts_at,
                party_size_min=slot.party_size_min,
                party_size_max=slot.party_size_max,
                places_left=slot.capacity,
            )
            for slot in free
        ]
        return SlotsView(store_id=store.id, slots=slots)

    @post(
        "/bookings",
        opt={"scope": WRITE},
        summary="Book a slot",
        responses=write_responses(BookingView),
    )
    async def book(
        self,
        store_id: FromPath[UUID],
        data: JSONBody[MakeBooking],
        bookings: NamedDependency[Bookings],
        clock: NamedDependency[Clock],
        request: AnyRequest,
    ) -> Response[BookingView]:
        """Answer 201, or 200 with the same body when sent again.

        Full: `booking.slot_full` with the nearest free times.
        """
        client = provide_api_client(request)
        booked = await bookings.book(
            BookSlot(
                request_id=named(data.request_id),
                store_id=store_id,
                brand_id=client.brand_id,
                starts_at=_instant(data.starts_at),
                party_size=_size(data.party_size),
                queue_id=data.queue_id,
                source=BookingSource.API,
                member_id=data.member_id,
                api_key_id=client.key_id,
                now=clock.now(),
            )
        )
        return _booked(booked)


class BookingAPI(Controller):
    """`/api/v1/bookings/{id}`."""

    path = "/bookings/{booking_id:uuid}"
    middleware = [api_guard]  # noqa: RUF012 - Litestar reads this plain class attribute
    tags = ["bookings"]  # noqa: RUF012 - likewise
    before_request = staticmethod(refuse_lenient_json)

    @post(
        "/cancel",
        opt={"scope": WRITE},
        summary="Call a booking off",
        responses=write_responses(BookingView),
    )
    async def cancel(
        self,
        booking_id: FromPath[UUID],
        data: JSONBody[CancelBooking],
        bookings: NamedDependency[Bookings],
        clock: NamedDependency[Clock],
        request: AnyRequest,
    ) -> Response[BookingView]:
        """Answer 201, or 200 when it is called off already."""
        client = provide_api_client(request)
        change = _change(booking_id, client, named(data.request_id), now=clock.now())
        change = msgspec.structs.replace(change, reason=data.reason)
        return _booked(await bookings.cancel(change))

    @post(
        "/reschedule",
        opt={"scope": WRITE},
        summary="Change the time of a booking",
        responses=write_responses(BookingView),
    )
    async def reschedule(
        self,
        booking_id: FromPath[UUID],
        data: JSONBody[RescheduleBooking],
        bookings: NamedDependency[Bookings],
        clock: NamedDependency[Clock],
        request: AnyRequest,
    ) -> Response[BookingView]:
        """Answer 201, or 200 when it is for that time already. Full: nothing is changed."""
        client = provide_api_client(request)
        change = _change(booking_id, client, named(data.request_id), now=clock.now())
        new = NewTime(
            starts_at=_instant(data.starts_at),
            party_size=_size(data.party_size),
            queue_id=data.queue_id,
        )
        return _booked(await bookings.reschedule(change, new))

    @post(
        "/arrive",
        opt={"scope": WRITE},
        summary="Check in who booked",
        responses=write_responses(ArrivedView),
    )
    async def arrive(
        self,
        booking_id: FromPath[UUID],
        data: JSONBody[CheckIn],
        bookings: NamedDependency[Bookings],
        clock: NamedDependency[Clock],
        request: AnyRequest,
    ) -> Response[ArrivedView]:
        """Answer 201 with the number, or 200 when the person is here already."""
        client = provide_api_client(request)
        change = _change(booking_id, client, named(data.request_id), now=clock.now())
        return _arrived(await bookings.arrive(change))


def _change(
    booking_id: UUID, client: APIClient, request_id: UUID, *, now: datetime
) -> ChangeBooking:
    return ChangeBooking(
        request_id=request_id,
        booking_id=booking_id,
        brand_id=client.brand_id,
        api_key_id=client.key_id,
        now=now,
    )


def _instant(at: datetime) -> datetime:
    """Return a moment that can be kept. Raises RequestInvalid for one without a zone."""
    if at.tzinfo is None:
        raise RequestInvalid(field="starts_at", reason="a time needs its zone: +08:00")
    _check_year(at.year, field="starts_at")
    return at


def _check_year(year: int, *, field: str) -> None:
    # At the ends of the calendar a day has no day before or after it.
    if not 1000 <= year <= 9998:
        raise RequestInvalid(field=field, reason="no such year")


def _size(party_size: int | None) -> int | None:
    return None if party_size is None else max(-1, min(party_size, PARTY_SIZE_MAX))


def _row(one: DayBooking, zone: ZoneInfo) -> DayBookingView:
    return DayBookingView(
        booking_id=one.booking_id,
        code=one.code,
        status=one.status,
        queue_id=one.queue_id,
        starts_at=one.starts_at.astimezone(zone),
        party_size=one.party_size,
        source=one.source,
        member_id=one.member_id,
        ticket_id=one.ticket_id,
        ticket_code=one.ticket_code,
        no_shows=one.no_shows,
    )


def _booked(booked: Booked) -> Response[BookingView]:
    view = BookingView(
        booking_id=booked.booking_id,
        code=booked.code,
        status=booked.status,
        store_id=booked.store_id,
        queue_id=booked.queue_id,
        # The same answer however often it is sent: by the store's clock.
        starts_at=booked.starts_at.astimezone(ZoneInfo(booked.timezone)),
        party_size=booked.party_size,
    )
    return Response(view, status_code=200 if booked.is_replay else 201)


def _arrived(arrived: Arrived) -> Response[ArrivedView]:
    view = ArrivedView(
        booking_id=arrived.booking_id,
        ticket_id=arrived.ticket_id,
        ticket_code=arrived.ticket_code,
        parties_ahead=arrived.parties_ahead,
        is_late=arrived.is_late,
    )
    return Response(view, status_code=200 if arrived.is_replay else 201)


route_handlers = [StoreBookingsAPI, BookingAPI]
