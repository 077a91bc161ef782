"""From a score to a range: what waits with similar scores were like, as three quantiles."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

import msgspec

# A range is what at least so many waits with a similar score were like.
WAITS_PER_RANGE = 80
RANGES_MAX = 16
# Eight of ten waits lie between.
LOW, HIGH = 0.1, 0.9


class Ranges(msgspec.Struct, frozen=True):
    """Waits in seconds at some scores, rising; in between on a line."""

    scores: list[float]
    low: list[float]
    median: list[float]
    high: list[float]

    def at(self, score: float) -> tuple[float, float, float]:
        """Return the low, the median and the high wait in seconds at a score."""
        return (
            _on_line(self.scores, self.low, score),
            _on_line(self.scores, self.median, score),
            _on_line(self.scores, self.high, score),
        )


def ranges_of(scored: Sequence[tuple[float, float]]) -> Ranges:
    """Return the quantiles of waits by score, from pairs of score and wait; no value falls.

    Needs at least one pair. The quantiles are those that were seen: no shape is assumed.
    """
    ordered = sorted(scored)
    groups = max(1, min(RANGES_MAX, len(ordered) // WAITS_PER_RANGE))
    cuts = [len(ordered) * group // groups for group in range(groups + 1)]
    parts = [ordered[since:until] for since, until in pairwise(cuts)]
    scores: list[float] = []
    for part in parts:
        score = median(score for score, _ in part)
        scores.append(score if not scores or score > scores[-1] else scores[-1] + 1e-6)
    return Ranges(
        scores,
        _rising(parts, lambda waits: _quantile(waits, LOW)),
        _rising(parts, lambda waits: _quantile(waits, 0.5)),
        _rising(parts, lambda waits: _quantile(waits, HIGH)),
    )


def _rising(
    parts: Sequence[Sequence[tuple[float, float]]], of: Callable[[list[float]], float]
) -> list[float]:
    values: list[float] = []
    for part in parts:
        value = of(sorted(wait for _, wait in part))
        values.append(max(value, values[-1]) if values else value)
    return values


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    lower = int(position)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (position - lower) * (ordered[upper] - ordered[lower])


def _on_line(scores: Sequence[float], values: Sequence[float], score: float) -> float:
    if score <= scores[0]:
        # Below what was ever seen the wait shrinks as the score does.
        return values[0] * max(0.0, score / scores[0]) if scores[0] > 0 else values[0]
    if score >= scores[-1]:
        return values[-1] * (score / scores[-1]) if scores[-1] > 0 else values[-1]
    right = bisect_right(scores, score)
    share = (score - scores[right - 1]) / (scores[right] - scores[right - 1])
    return values[right - 1] + share * (values[right] - values[right - 1])
