"""The style sheet of a brand: its colours as custom properties."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import Parameter

from o2o.infra.database import Tx
from o2o.stores.queries import find_brand_hue
from o2o.web.colours import brand_css
from o2o.web.errors import RouteNotFound


@get("/brand/{file:str}", include_in_schema=False)
async def brand_styles(
    file: Annotated[str, Parameter(max_length=64)], tx: NamedDependency[Tx]
) -> Response[str]:
    """Answer `/brand/{slug}.css`. Raises RouteNotFound."""
    hue = await find_brand_hue(tx, file.removesuffix(".css"))
    if hue is None or not file.endswith(".css"):
        raise RouteNotFound
    return Response(
        brand_css(hue), media_type="text/css", headers={"Cache-Control": "public, max-age=300"}
    )


route_handlers = [brand_styles]
