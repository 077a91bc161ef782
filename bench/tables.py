"""Tables for a terminal and for Markdown: the same cells in both."""

from collections.abc import Sequence

from bench.figures import Standing, ratio

HEADS = (
    "contestant",
    "per second",
    "min … max",
    "p50 ms",
    "p99 ms",
    "max ms",
    "server µs",
    "errors",
    "ours ÷",
)
UNKNOWN = "–"


def cells(found: Sequence[Standing], *, ours: str) -> list[tuple[str, ...]]:
    """Return one row per contestant; the last cell is how many times its rate ours is.

    Where `ours` did not run, that cell stays empty.
    """
    rates = {one.name: one.per_second for one in found}
    return [
        (
            one.name,
            f"{one.per_second:,.0f}",
            f"{one.per_second_min:,.0f} … {one.per_second_max:,.0f}",
            _known(one.p50_ms, 1),
            _known(one.p99_ms, 1),
            _known(one.max_ms, 1),
            _known(one.server_us, 0),
            str(one.errors),
            ""
            if one.name == ours or ours not in rates
            else times(ratio(rates[ours], one.per_second)),
        )
        for one in found
    ]


def times(value: float | None) -> str:
    """Write a ratio; a dash when there is none."""
    return UNKNOWN if value is None else f"{value:.2f}×"


def _known(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if value > 0 else UNKNOWN


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay a table out for a terminal: the first column to the left, figures to the right."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write the same table in Markdown."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(heads), rule, *map(list, rows)])
