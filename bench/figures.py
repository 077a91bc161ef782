"""What is computed from measurements: percentiles, medians, ratios. Pure."""

from collections.abc import Sequence

import msgspec

P50 = 0.50
P99 = 0.99


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round of one contestant. Latencies are in milliseconds, of answers only."""

    name: str
    seconds: float
    answered: int
    # Answers that were not what was asked for, and connections that broke, by what was seen.
    errors: dict[str, int] = {}
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    # Processor time of the contestant's own processes per answer, in microseconds; 0 is unknown.
    # Beside other work on the machine it says more than the rate.
    server_us: float = 0.0

    @property
    def per_second(self) -> float:
        """Right answers per second."""
        return self.answered / self.seconds if self.seconds > 0 else 0.0

    @property
    def error_count(self) -> int:
        """How many answers were wrong or missing."""
        return sum(self.errors.values())


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of an ascending sequence does not exceed (nearest rank).

    Of nothing it is 0. `share` lies in (0, 1].
    """
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * share // 1)
    return ordered[min(len(ordered), max(1, int(rank))) - 1]


def median(values: Sequence[float]) -> float:
    """Return the middle value, the mean of both middle ones for an even number; 0 of nothing."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2


def summed_up(
    name: str, *, seconds: float, latencies: list[float], errors: dict[str, int]
) -> Round:
    """Make a round of latencies in seconds, in any order."""
    ordered = sorted(latencies)
    return Round(
        name=name,
        seconds=seconds,
        answered=len(ordered),
        errors=errors,
        p50_ms=1000 * percentile(ordered, P50),
        p99_ms=1000 * percentile(ordered, P99),
        max_ms=1000 * (ordered[-1] if ordered else 0.0),
    )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A contestant over all rounds: medians of the rounds, except where it says otherwise."""

    name: str
    rounds: int
    per_second: float
    per_second_min: float
    per_second_max: float
    p50_ms: float
    p99_ms: float
    # The worst single answer of all rounds.
    max_ms: float
    server_us: float
    errors: int


def standings(rounds: Sequence[Round]) -> list[Standing]:
    """Return one standing per contestant, in the order in which they first ran."""
    names = list(dict.fromkeys(one.name for one in rounds))
    return [_standing(name, [one for one in rounds if one.name == name]) for name in names]


def _standing(name: str, rounds: Sequence[Round]) -> Standing:
    rates = [one.per_second for one in rounds]
    return Standing(
        name=name,
        rounds=len(rounds),
        per_second=median(rates),
        per_second_min=min(rates),
        per_second_max=max(rates),
        p50_ms=median([one.p50_ms for one in rounds]),
        p99_ms=median([one.p99_ms for one in rounds]),
        max_ms=max(one.max_ms for one in rounds),
        server_us=median([one.server_us for one in rounds]),
        errors=sum(one.error_count for one in rounds),
    )


def ratio(ours: float, theirs: float) -> float | None:
    """Return how many times theirs ours is; None when theirs is nothing to compare with."""
    return ours / theirs if theirs > 0 else None
