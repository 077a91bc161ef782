"""Figures of the bench: percentiles, medians, standings."""

import pytest

from bench.figures import Round, median, percentile, ratio, standings, summed_up


@pytest.mark.parametrize(
    "share,expected", [(0.01, 1.0), (0.5, 5.0), (0.9, 9.0), (0.91, 10.0), (0.99, 10.0), (1.0, 10.0)]
)
def test_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 11)], share) == expected


def test_percentile_of_one_value_is_that_value_and_of_none_is_zero() -> None:
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([], 0.99) == 0.0


@pytest.mark.parametrize(
    "values,expected", [([], 0.0), ([3.0], 3.0), ([9.0, 1.0], 5.0), ([9.0, 1.0, 2.0], 2.0)]
)
def test_median(values: list[float], expected: float) -> None:
    assert median(values) == expected


def test_a_round_counts_answers_only_and_tells_milliseconds() -> None:
    one = summed_up("x", seconds=2.0, latencies=[0.003, 0.001, 0.002], errors={"status 500": 4})

    assert (one.answered, one.error_count, one.per_second) == (3, 4, 1.5)
    assert (one.p50_ms, one.p99_ms, one.max_ms) == (2.0, 3.0, 3.0)


def test_a_round_of_nothing_is_no_division_by_zero() -> None:
    one = summed_up("x", seconds=0.0, latencies=[], errors={})

    assert (one.per_second, one.p99_ms, one.max_ms) == (0.0, 0.0, 0.0)


def test_standings_take_medians_of_rounds_and_the_worst_answer_of_all() -> None:
    rounds = [
        Round(name=name, seconds=1.0, answered=answered, p99_ms=p99, max_ms=p99 * 2)
        for name, answered, p99 in [
            ("ours", 100, 5.0),
            ("theirs", 50, 9.0),
            ("ours", 300, 7.0),
            ("theirs", 60, 8.0),
            ("ours", 200, 90.0),
        ]
    ]

    ours, theirs = standings(rounds)

    assert (ours.name, ours.rounds, ours.per_second) == ("ours", 3, 200.0)
    assert (ours.per_second_min, ours.per_second_max) == (100.0, 300.0)
    assert (ours.p99_ms, ours.max_ms) == (7.0, 180.0)
    assert (theirs.per_second, theirs.p99_ms) == (55.0, 8.5)


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio(3.0, 0.0) is None
    assert ratio(3.0, 2.0) == 1.5
