"""`/h5/{account}/queue`: own numbers, the stores and their lines, and the way to a number."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.crm.statuses import TicketPriority, TicketSource
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.geo import Point
from o2o.kernel.ids import new_request_id
from o2o.membership.errors import SnapshotSession
from o2o.queueing.commands import TakeTicket
from o2o.queueing.desk_work import Queues
from o2o.queueing.errors import DoorCodeForged, TicketAlreadyActive
from o2o.queueing.errors_door import DoorCodeRetired
from o2o.queueing.queries.doors import Door, get_door
from o2o.queueing.queries.own_tickets import Holder, OwnTicket, list_own_active
from o2o.queueing.web.diner_lines import list_store_cards, load_take
from o2o.queueing.web.diner_views import QueuePage
from o2o.queueing.web.doors import check_door
from o2o.web.answers import is_for_program
from o2o.web.diner_frame import frame_of
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import diner_guard
from o2o.web.language import language_of
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import Diner
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
# A number of an earlier day is over, whatever its row says.
OWN_FOR = timedelta(hours=26)
Typed = Annotated[str, msgspec.Meta(max_length=64)]
LATITUDE_MAX, LONGITUDE_MAX = 90.0, 180.0


class TakeForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the page sends for a number; without a line the size decides."""

    request_id: UUID
    store_id: UUID
    party_size: Annotated[str, msgspec.Meta(max_length=6)] = ""
    queue_id: Typed = ""
    door: Typed = ""
    latitude: Typed = ""
    longitude: Typed = ""
    csrf: str = ""


class NearForm(msgspec.Struct, frozen=True, kw_only=True):
    """Where the phone says it is."""

    latitude: Typed = ""
    longitude: Typed = ""


class DinerQueuePages(Controller):
    """The page, the stores by distance, and taking a number."""

    path = "/h5/{account:str}/queue"
    guards = [diner_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show_queue(
        self, request: AnyRequest, tx: NamedDependency[Tx], diner: NamedDependency[Diner]
    ) -> Response[Any]:
        """Show own numbers, and a store's lines or the stores to choose from."""
        if diner.is_snapshot:
            frame = frame_of(diner, language=language_of(request), tab="queue")
            return show(request, "diner/snapshot.html", frame=frame)
        store_id, door = _uuid(request.query_params.get("store")), request.query_params.get("door")
        return await _page(request, tx, diner, store_id=store_id, door=door or "")

    @post("/near", status_code=200)
    async def show_near(
        self,
        request: AnyRequest,
        data: Annotated[NearForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
    ) -> Response[str]:
        """Show the stores by distance; where the phone is goes no further than this."""
        platform = platform_of(request)
        stores = await list_store_cards(
            tx,
            diner,
            here=_point(data.latitude, data.longitude),
            words=platform.words,
            language=language_of(request),
            now=platform.clock.now(),
        )
        frame = frame_of(diner, language=language_of(request), tab="queue")
        return show(
            request, "diner/_queue_stores.html", frame=frame, stores=stores, has_distances=True
        )

    @post()
    async def take(
        self,
        request: AnyRequest,
        data: Annotated[TakeForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        diner: NamedDependency[Diner],
        queues: NamedDependency[Queues],
    ) -> Response[Any]:
        """Take a number and go to its page; what stands in the way is shown in this one.

        Raises SnapshotSession.
        """
        if diner.is_snapshot:
            raise SnapshotSession
        platform = platform_of(request)
        try:
            door = await get_door(tx, data.store_id, brand_id=diner.brand_id)
            taken = await queues.take(_command(data, diner, door, platform=platform))
        except TicketAlreadyActive as fact:
            return go_on(request, f"/h5/{diner.account_slug}/tickets/{fact.ticket_id}")
        except Fact as fact:
            if is_for_program(request):
                raise
            return await _page(
                request,
                tx,
                diner,
                store_id=data.store_id,
                # With a code that is no good nobody gets any further.
                door="" if isinstance(fact, DoorCodeForged | DoorCodeRetired) else data.door,
                form=data,
                fault=fault_of(request, fact),
                status=fact.status,
            )
        return go_on(request, f"/h5/{diner.account_slug}/tickets/{taken.ticket_id}")


def _command(data: TakeForm, diner: Diner, door: Door, *, platform: Platform) -> TakeTicket:
    """Say what is wanted; a good code of the door proves presence. Raises DoorCodeForged…"""
    if data.door:
        check_door(platform.seal, door, data.door)
    return TakeTicket(
        request_id=data.request_id,
        store_id=data.store_id,
        queue_id=_uuid(data.queue_id),
        brand_id=diner.brand_id,
        party_size=int(data.party_size) if data.party_size.isdecimal() else 0,
        source=TicketSource.DOOR if data.door else TicketSource.PAGE,
        member_id=diner.member_id,
        fan_id=diner.fan_id,
        priority=TicketPriority.MEMBER if diner.member_id else TicketPriority.ORDINARY,
        at=door.at if data.door else _point(data.latitude, data.longitude),
        now=platform.clock.now(),
    )


async def _page(
    request: AnyRequest,
    tx: Tx,
    diner: Diner,
    *,
    store_id: UUID | None,
    door: str,
    form: TakeForm | None = None,
    fault: Fault | None = None,
    status: int = 200,
) -> Response[Any]:
    platform, language = platform_of(request), language_of(request)
    now = platform.clock.now()
    holder = Holder(fan_id=diner.fan_id, member_id=diner.member_id, brand_id=diner.brand_id)
    own = await list_own_active(tx, holder, since=now - OWN_FOR, now=now)
    stores = []
    if store_id is None:
        stores = await list_store_cards(
            tx, diner, here=None, words=platform.words, language=language, now=now
        )
        if len(stores) == 1:
            store_id = stores[0].store_id
    take = None
    if store_id is not None:
        place = await get_door(tx, store_id, brand_id=diner.brand_id)
        if door and fault is None:
            try:
                check_door(platform.seal, place, door)
            except Fact as fact:
                fault, status, door = fault_of(request, fact), fact.status, ""
        take = await load_take(
            tx,
            place,
            door=door if fault is None or form is not None else "",
            party_size=_size(form),
            chosen_id=_uuid(form.queue_id) if form else None,
            request_id=new_request_id(),
            can_choose_store=len(stores) != 1,
            own=_own_here(own, store_id),
            words=platform.words,
            language=language,
            now=now,
        )
    page = QueuePage(
        own=own, take=take, stores=stores if take is None else [], has_distances=False, fault=fault
    )
    return show(
        request,
        "diner/queue.html",
        status=status,
        frame=frame_of(diner, language=language, tab="queue"),
        view=page,
        jssdk={
            "sdk_url": platform.settings.wechat_jssdk_url,
            "config_url": f"/wechat/{diner.account_slug}/jssdk",
            "is_demo": platform.settings.demo,
        },
    )


def _own_here(own: list[OwnTicket], store_id: UUID) -> OwnTicket | None:
    return next((t for t in own if t.store_id == store_id and t.status.value != "skipped"), None)


def _size(form: TakeForm | None) -> int | None:
    return int(form.party_size) if form and form.party_size.isdecimal() else None


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def _point(latitude: str, longitude: str) -> Point | None:
    """Read a place that a phone sent; what is none is none."""
    try:
        point = Point(float(latitude), float(longitude))
    except ValueError:
        return None
    is_on_earth = abs(point.latitude) <= LATITUDE_MAX and abs(point.longitude) <= LONGITUDE_MAX
    return point if is_on_earth else None
