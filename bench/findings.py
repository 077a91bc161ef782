"""What one comparison found: rounds, facts beside them, and what was wrong."""

import msgspec

from bench.figures import Round, Standing, ratio, standings
from bench.tables import HEADS, aligned, cells, markdown, times


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One figure against the mark it should reach."""

    says: str
    figure: float | None
    mark: float
    # False: the figure should stay below the mark.
    is_least: bool = True

    @property
    def holds(self) -> bool:
        """Whether the mark was reached in this run."""
        if self.figure is None:
            return False
        return self.figure >= self.mark if self.is_least else self.figure <= self.mark

    @property
    def line(self) -> str:
        """One line for people."""
        sign = "≥" if self.is_least else "≤"
        figure = "–" if self.figure is None else f"{self.figure:.2f}"
        return f"{'yes' if self.holds else 'NO '}  {self.says}: {figure} ({sign} {self.mark:g})"


class Finding(msgspec.Struct, kw_only=True):
    """One comparison of a run."""

    title: str
    ours: str
    rounds: list[Round]
    facts: dict[str, str | int | float] = {}
    faults: list[str] = []
    claims: list[Claim] = []

    @property
    def standings(self) -> list[Standing]:
        """Return the contestants with the medians of their rounds."""
        return standings(self.rounds)

    def rate(self, name: str) -> float:
        """Return a contestant's median rate; 0 when it did not run."""
        return next((one.per_second for one in self.standings if one.name == name), 0.0)

    def times(self, name: str) -> float | None:
        """Return how many times a contestant's rate ours is."""
        return ratio(self.rate(self.ours), self.rate(name))


def told(finding: Finding) -> str:
    """Write a finding for a terminal."""
    lines = [finding.title, "", aligned(HEADS, cells(finding.standings, ours=finding.ours)), ""]
    lines += [f"  {name}: {value}" for name, value in finding.facts.items()]
    lines += [f"  {claim.line}" for claim in finding.claims]
    lines += [f"  WRONG {fault}" for fault in finding.faults]
    return "\n".join(lines)


def recorded(finding: Finding) -> str:
    """Write a finding for RESULTS.md."""
    lines = [f"### {finding.title}", ""]
    lines += [markdown(HEADS, cells(finding.standings, ours=finding.ours)), ""]
    lines += [f"* {name}: {value}" for name, value in finding.facts.items()]
    lines += [f"* {claim.line}" for claim in finding.claims]
    lines += [f"* WRONG {fault}" for fault in finding.faults]
    return "\n".join(lines)


__all__ = ["Claim", "Finding", "recorded", "times", "told"]
