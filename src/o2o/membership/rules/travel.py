"""Travel: whether somebody can be in two stores so shortly after one another."""

from datetime import timedelta
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_000
# Stores in one house or street: no journey at all.
SAME_PLACE_M = 1_000
# A fast car through town, then a high-speed train without a minute of waiting: generous, so that
# whoever is held was not on his way.
TOWN_M = 50_000
TOWN_METRES_PER_SECOND = 80 / 3.6
RAIL_METRES_PER_SECOND = 300 / 3.6


def distance_m(
    latitude: float, longitude: float, *, to_latitude: float, to_longitude: float
) -> float:
    """Return metres along the ground between two points given in degrees of one datum."""
    phi, to_phi = radians(latitude), radians(to_latitude)
    half_chord = (
        sin((to_phi - phi) / 2) ** 2
        + cos(phi) * cos(to_phi) * sin(radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half_chord)))


def shortest_journey(metres: float) -> timedelta:
    """Return the least time in which somebody covers a distance between stores."""
    if metres <= SAME_PLACE_M:
        return timedelta(0)
    town = min(metres, TOWN_M) / TOWN_METRES_PER_SECOND
    rail = max(0.0, metres - TOWN_M) / RAIL_METRES_PER_SECOND
    return timedelta(seconds=town + rail)


def is_travel_unlikely(metres: float, *, within: timedelta) -> bool:
    """Whether nobody covers the distance in that time. A clock that ran backwards says nothing."""
    return timedelta(0) <= within < shortest_journey(metres)
