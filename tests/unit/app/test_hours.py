"""Opening hours as they are typed."""

import pytest

from o2o.app.install.hours import ALWAYS, DAYS, parse_hours


def test_spans_of_days_and_of_hours() -> None:
    hours = parse_hours(["mon-fri 17:00-02:00,11:00-14:00", "Sun 10:00-20:00"])
    week = [["11:00", "14:00"], ["17:00", "02:00"]]
    assert hours == {
        **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), week),
        "sat": [],
        "sun": [["10:00", "20:00"]],
    }


def test_a_later_line_replaces_and_a_week_wraps_round() -> None:
    hours = parse_hours(["mon-sun 10:00-20:00", "sat-mon 12:00-18:00"])
    assert [hours[day][0][0] for day in DAYS] == ["12:00", *["10:00"] * 4, "12:00", "12:00"]


def test_round_the_clock_is_an_end_at_its_start() -> None:
    assert parse_hours([ALWAYS]) == {day: [["00:00", "00:00"]] for day in DAYS}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mon",
        "mon-fri",
        "moon 10:00-12:00",
        "mon 25:00-26:00",
        "mon 10:60-12:00",
        "mon 9:00-12:00",
        "mon 10:00-12:00,11:00-13:00",
        "mon 18:00-02:00,20:00-22:00",
        "mon 10:00-12:00,",
        "mon 10:00–12:00",
        "mon 10:00-12:00 tue",
        "周一 10:00-12:00",
    ],
)
def test_what_is_not_right_is_given_back(line: str) -> None:
    with pytest.raises(ValueError, match=r".*") as refused:
        parse_hours(["mon 10:00-12:00", line])
    assert refused.value.args == (line,)
