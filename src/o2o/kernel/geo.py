"""Places on the earth: distances, and the two datums in which China's coordinates come.

WeChat's location messages and Chinese maps use GCJ-02, a shifted WGS-84; satellites and WeChat's
`LOCATION` event (as set per account) use WGS-84. Inside China the two differ by 100 to 700 metres.
"""

from math import asin, cos, pi, radians, sin, sqrt

import msgspec

EARTH_RADIUS_M = 6_371_008.8
# The ellipsoid on which GCJ-02 was defined (Krasovsky 1940), as every open description of it says.
_AXIS_M = 6_378_245.0
_ECCENTRICITY = 0.00669342162296594323


class Point(msgspec.Struct, frozen=True):
    """Latitude and longitude in degrees, north and east positive."""

    latitude: float
    longitude: float


def distance_m(a: Point, b: Point) -> float:
    """Return the great-circle distance in metres (haversine on the mean radius)."""
    lat_a, lat_b = radians(a.latitude), radians(b.latitude)
    half = (
        sin((lat_b - lat_a) / 2) ** 2
        + cos(lat_a) * cos(lat_b) * sin(radians(b.longitude - a.longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


def is_in_china(at: Point) -> bool:
    """Whether GCJ-02 shifts a point: the box that the definition uses."""
    return 72.004 <= at.longitude <= 137.8347 and 0.8293 <= at.latitude <= 55.8271


def gcj02_of_wgs84(at: Point) -> Point:
    """Shift a satellite's point to where Chinese maps draw it; abroad nothing is shifted."""
    if not is_in_china(at):
        return at
    x, y = at.longitude - 105.0, at.latitude - 35.0
    lat = radians(at.latitude)
    magic = 1 - _ECCENTRICITY * sin(lat) ** 2
    north = _north(x, y) * 180.0 / ((_AXIS_M * (1 - _ECCENTRICITY)) / (magic * sqrt(magic)) * pi)
    east = _east(x, y) * 180.0 / (_AXIS_M / sqrt(magic) * cos(lat) * pi)
    return Point(at.latitude + north, at.longitude + east)


def in_gcj02(at: Point, *, datum: str) -> Point:
    """Return a point in GCJ-02, whichever datum it came in. Raises ValueError for another one."""
    if datum == "gcj02":
        return at
    if datum == "wgs84":
        return gcj02_of_wgs84(at)
    msg = f"unknown datum {datum!r}"
    raise ValueError(msg)


def _waves(at: float, *, long: float, short: float) -> float:
    return (20.0 * sin(6.0 * at * pi) + 20.0 * sin(2.0 * at * pi)) * 2.0 / 3.0 + long + short


def _north(x: float, y: float) -> float:
    flat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    long = (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    short = (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    return flat + _waves(x, long=long, short=short)


def _east(x: float, y: float) -> float:
    flat = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    long = (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    short = (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    return flat + _waves(x, long=long, short=short)
