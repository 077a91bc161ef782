"""Distances and datums."""

import pytest

from o2o.kernel.geo import Point, distance_m, gcj02_of_wgs84, in_gcj02

# Where Chinese maps draw satellites' points, as published converters agree on.
SHIFTED = [
    (Point(31.1774276, 121.5272106), Point(31.17530398364597, 121.531541859215)),
    (Point(22.543847, 113.912316), Point(22.540796131694766, 113.9171764808363)),
    (Point(39.911954, 116.377817), Point(39.91334545536069, 116.38404722455657)),
]


@pytest.mark.parametrize("satellite, drawn", SHIFTED)
def test_points_in_china_are_shifted(satellite: Point, drawn: Point) -> None:
    assert distance_m(gcj02_of_wgs84(satellite), drawn) < 0.1
    assert 100 < distance_m(satellite, drawn) < 700


def test_points_abroad_stay() -> None:
    paris = Point(48.8566, 2.3522)

    assert gcj02_of_wgs84(paris) == paris


def test_a_degree_of_latitude_is_a_known_way() -> None:
    assert distance_m(Point(30.0, 120.0), Point(31.0, 120.0)) == pytest.approx(111_195, abs=1)
    assert distance_m(Point(30.0, 120.0), Point(30.0, 120.0)) == 0


def test_the_other_side_of_the_earth_is_half_its_girth_away() -> None:
    assert distance_m(Point(0.0, 0.0), Point(0.0, 180.0)) == pytest.approx(20_015_115, abs=10)


def test_each_datum_comes_out_as_gcj02() -> None:
    satellite, drawn = SHIFTED[0]

    assert in_gcj02(drawn, datum="gcj02") == drawn
    assert distance_m(in_gcj02(satellite, datum="wgs84"), drawn) < 0.1
    with pytest.raises(ValueError, match="bd09"):
        in_gcj02(drawn, datum="bd09")
