"""Opening hours, over midnight and around holidays."""

from datetime import datetime

import pytest

from o2o.kernel.hours import next_opening, open_span

ZONE = "Asia/Shanghai"
# Friday is the 20th; times below are Shanghai's.
HOURS = {
    "fri": [["10:30", "14:00"], ["16:30", "02:00"]],
    "sat": [["10:30", "02:00"]],
    "mon": [["09:00", "17:00"]],
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02}T{hour:02}:{minute:02}:00+08:00")


@pytest.mark.parametrize(
    "moment, is_open",
    [
        (at(20, 10, 29), False),
        (at(20, 10, 30), True),
        (at(20, 14, 0), False),
        (at(20, 16, 30), True),
        (at(21, 1, 59), True),
        (at(21, 2, 0), False),
        (at(22, 1, 59), True),
        (at(22, 12, 0), False),
    ],
)
def test_a_store_serves_within_its_spans(moment: datetime, is_open: bool) -> None:
    assert (open_span(moment, hours=HOURS, timezone=ZONE) is not None) is is_open


def test_a_span_past_midnight_belongs_to_the_day_on_which_it_began() -> None:
    span = open_span(at(21, 1), hours=HOURS, timezone=ZONE)

    assert span is not None
    assert (span.since, span.until) == (at(20, 16, 30), at(21, 2))


def test_the_next_opening_skips_days_off() -> None:
    assert next_opening(at(20, 15), hours=HOURS, timezone=ZONE) == at(20, 16, 30)
    assert next_opening(at(22, 3), hours=HOURS, timezone=ZONE) == at(23, 9)
    assert next_opening(at(22, 3), hours={}, timezone=ZONE) is None


def test_a_whole_day_has_no_gap_at_midnight() -> None:
    always = {day: [["00:00", "24:00"]] for day in ("fri", "sat")}

    assert open_span(at(20, 23, 59), hours=always, timezone=ZONE) is not None
    assert open_span(at(21, 0, 0), hours=always, timezone=ZONE) is not None


def test_a_date_of_its_own_replaces_the_weekday() -> None:
    exceptions = {"2026-11-20": [], "2026-11-22": [["12:00", "13:00"]]}

    def spans(moment: datetime) -> bool:
        return open_span(moment, hours=HOURS, timezone=ZONE, exceptions=exceptions) is not None

    assert not spans(at(20, 12))
    assert spans(at(22, 12))
    assert next_opening(at(20, 9), hours=HOURS, timezone=ZONE, exceptions=exceptions) == at(
        21, 10, 30
    )
