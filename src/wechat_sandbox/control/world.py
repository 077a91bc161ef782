"""Control API: the map of places and the phone's texts."""

import tomllib
from importlib.resources import files
from typing import Annotated, Any, Literal

import msgspec
from litestar import get, put
from litestar.di import NamedDependency

from wechat_sandbox.control.access import Refused
from wechat_sandbox.sandbox import Sandbox

PLACES_MAX = 200


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A named spot; coordinates are GCJ-02 degrees, as WeChat's own map uses."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    city: Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    kind: Annotated[str, msgspec.Meta(max_length=20)] = "place"


class AddPlaces(msgspec.Struct, forbid_unknown_fields=True):
    places: Annotated[list[Place], msgspec.Meta(max_length=PLACES_MAX)]


def _named_places() -> list[Place]:
    text = files("wechat_sandbox").joinpath("data/places.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["place"], list[Place])


def _map(sandbox: Sandbox) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        rows = tx.rows("SELECT * FROM places ORDER BY rowid")
    added = [
        Place(row["name"], row["city"], row["latitude"], row["longitude"], row["kind"])
        for row in rows
    ]
    names = {(place.city, place.name) for place in added}
    known = [place for place in _named_places() if (place.city, place.name) not in names]
    places = [msgspec.structs.asdict(place) for place in (*known, *added)]
    return {"places": places, "cities": list(dict.fromkeys(place["city"] for place in places))}


@get("/map")
async def show_map(sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    return _map(sandbox)


@put("/places")
async def add_places(data: AddPlaces, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """Add places to the map; one of the same city and name is moved."""
    with sandbox.database.transaction() as tx:
        for place in data.places:
            tx.run(
                "INSERT INTO places (name, city, latitude, longitude, kind)"
                " VALUES (:name, :city, :lat, :lng, :kind) ON CONFLICT (city, name)"
                " DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude,"
                " kind = excluded.kind",
                **msgspec.structs.asdict(place),
            )
        tx.notify("places")
    return _map(sandbox)


@get("/copy")
async def show_copy(lang: Literal["zh_CN", "en"] = "zh_CN") -> dict[str, Any]:
    """The phone's texts in one language."""
    source = files("wechat_sandbox").joinpath("copy", f"{lang}.toml")
    if not source.is_file():
        raise Refused(404, "copy.not_found", f"there are no texts in {lang}")
    return tomllib.loads(source.read_text(encoding="utf-8"))


ROUTES = (show_map, add_places, show_copy)
