"""`/console/queues/{store}/door-poster.png` and `.pdf`: the poster of a store's door, to print."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.infra.aside import compute_aside
from o2o.infra.database import Tx
from o2o.queueing.queries.doors import Door, get_door
from o2o.queueing.web.console_scope import get_readable_store
from o2o.queueing.web.doors import door_path
from o2o.queueing.web.poster import Poster, draw_png
from o2o.queueing.web.poster_pdf import draw_pdf
from o2o.web.colours import RGB, readable_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


@get("/door-poster.png")
async def show_door_png(
    store_id: FromPath[UUID],
    tx: NamedDependency[Tx],
    console_staff: NamedDependency[ConsoleStaff],
    platform: NamedDependency[Platform],
) -> Response[bytes]:
    """Draw the poster as a picture. Raises StoreNotFound, RoleMissing, PosterFontMissing."""
    await get_readable_store(tx, console_staff, store_id)
    door = await get_door(tx, store_id, brand_id=console_staff.brand_id)
    drawn = await compute_aside(draw_png, poster_of(door, platform))
    return _file(drawn, "image/png", "png")


@get("/door-poster.pdf")
async def show_door_pdf(
    store_id: FromPath[UUID],
    tx: NamedDependency[Tx],
    console_staff: NamedDependency[ConsoleStaff],
    platform: NamedDependency[Platform],
) -> Response[bytes]:
    """Draw the poster for print. Raises StoreNotFound, RoleMissing."""
    await get_readable_store(tx, console_staff, store_id)
    door = await get_door(tx, store_id, brand_id=console_staff.brand_id)
    drawn = await compute_aside(draw_pdf, poster_of(door, platform))
    return _file(drawn, "application/pdf", "pdf")


def poster_of(door: Door, platform: Platform) -> Poster:
    """Say what stands on the poster of a door: Chinese, as the people at the door read."""
    words = platform.words
    hall = "hall" if door.brand_kind == "hall" else "restaurant"
    return Poster(
        brand=door.brand_name,
        hue=str(readable_on((_WHITE,), RGB.of(door.brand_hue), _BLACK)),
        store=door.store_name,
        title=words.text("queueing_poster.title"),
        steps=[words.text(f"queueing_poster.{hall}.step_{number}") for number in (1, 2, 3)],
        foot=words.text("queueing_poster.foot"),
        url=f"{platform.settings.public_url}{door_path(platform.seal, door)}",
    )


def _file(content: bytes, media_type: str, ending: str) -> Response[bytes]:
    return Response(
        content,
        media_type=media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'inline; filename="door-poster.{ending}"',
        },
    )


route_handlers: list[Any] = [
    Router(
        "/console/queues/{store_id:uuid}",
        guards=[console_guard],
        route_handlers=[show_door_png, show_door_pdf],
    )
]
