"""The pad's queue pages: who may, where the pad stands, what surrounds a page."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.infra.settings import Settings
from o2o.queueing.brief import briefly
from o2o.queueing.errors_arrange import DeskNotChosen
from o2o.queueing.queries.arranged import list_arranged_queues
from o2o.queueing.queries.desks import DeskView, list_desks
from o2o.stores.queries import get_brand, get_store
from o2o.web.cookies import DAY_SECONDS, PAD_DAYS, cookie_name
from o2o.web.errors import RoleMissing
from o2o.web.guards import is_question_of_methods
from o2o.web.language import language_of
from o2o.web.platform import Platform
from o2o.web.principals import Clerk

AnyRequest = Request[Any, Any, Any]
AT_DESK = frozenset({StaffRoleName.CLERK, StaffRoleName.MANAGER})
DESK_COOKIE = "desk"


class PadFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds every page of a signed-in pad."""

    brand_slug: str
    brand_name: str
    store_name: str
    clerk_name: str
    timezone: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pad stands: the desk people are called to, and the queues called from there."""

    # None while it has to be chosen.
    desk: str | None
    desk_id: UUID | None
    queue_ids: tuple[UUID, ...]
    desks: list[DeskView]


async def desk_guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let those pass who call people. Raises RoleMissing."""
    if is_question_of_methods(connection):
        return
    clerk = connection.state.principal
    assert isinstance(clerk, Clerk), "desk_guard comes after pad_guard"
    if not clerk.roles & AT_DESK:
        raise RoleMissing


async def queue_frame(tx: Tx, clerk: Clerk) -> PadFrame:
    """Return the frame of a clerk's page."""
    brand = await get_brand(tx, clerk.brand_id)
    store = await get_store(tx, clerk.store_id)
    return PadFrame(
        brand_slug=brand.slug,
        brand_name=brand.name,
        store_name=store.name,
        clerk_name=clerk.name,
        timezone=store.timezone,
    )


def desk_cookie(settings: Settings, desk_id: UUID) -> Cookie:
    """Make the cookie by which a pad remembers its desk; it is no secret and no right."""
    return Cookie(
        key=cookie_name(settings, DESK_COOKIE),
        value=str(desk_id),
        path="/",
        httponly=True,
        secure=settings.is_https,
        samesite="lax",
        max_age=PAD_DAYS * DAY_SECONDS,
    )


async def where_pad_stands(
    request: AnyRequest, tx: Tx, clerk: Clerk, *, platform: Platform
) -> Standing:
    """Return the desk this pad chose, the only one there is, or the usual words for none.

    A desk that serves no queues by name serves all of the store's.
    """
    store = await get_store(tx, clerk.store_id)
    now = platform.clock.now()
    every = tuple(queue.queue_id for queue in await list_arranged_queues(tx, store, now=now))
    desks = await list_desks(tx, clerk.store_id)
    if not desks:
        usual = platform.words.text("queueing_pad.usual_desk", language_of(request))
        return Standing(desk=usual, desk_id=None, queue_ids=every, desks=[])
    chosen = request.cookies.get(cookie_name(platform.settings, DESK_COOKIE))
    desk = next((desk for desk in desks if str(desk.desk_id) == chosen), None)
    if desk is None and len(desks) == 1:
        [desk] = desks
    if desk is None:
        return Standing(desk=None, desk_id=None, queue_ids=every, desks=desks)
    return Standing(
        desk=desk.code,
        desk_id=desk.desk_id,
        queue_ids=tuple(desk.queue_ids) or every,
        desks=desks,
    )


async def get_standing(request: AnyRequest, clerk: Clerk, *, platform: Platform) -> Standing:
    """Return where the pad stands, in a transaction of its own. Raises DeskNotChosen.

    For handlers that go on to the coalescers: whoever held a connection while waiting for another
    could wait for ever.
    """
    standing = await briefly(
        platform.sessions, lambda tx: where_pad_stands(request, tx, clerk, platform=platform)
    )
    if standing.desk is None:
        raise DeskNotChosen
    return standing
