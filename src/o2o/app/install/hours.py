"""Opening hours as one types them: `mon-fri 10:30-14:00,16:30-21:30`, `sat 18:00-02:00`."""

import re
from collections.abc import Sequence
from itertools import pairwise

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "mon-sun 00:00-24:00"
_LINE = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+(?P<spans>\S+)")
_SPAN = re.compile(
    r"(?P<opens>(?:[01]\d|2[0-3]):[0-5]\d)-(?P<closes>(?:[01]\d|2[0-3]):[0-5]\d|24:00)"
)


def parse_hours(lines: Sequence[str]) -> dict[str, list[list[str]]]:
    """Return the hours as a store keeps them, a closed day empty.

    A later line replaces the days it names. Raises ValueError with the line that is not right.
    """
    hours: dict[str, list[list[str]]] = {day: [] for day in DAYS}
    for line in lines:
        match = _LINE.fullmatch(line.strip().lower())
        if match is None:
            raise ValueError(line)
        first, last = match["first"], match["last"] or match["first"]
        if first not in DAYS or last not in DAYS:
            raise ValueError(line)
        spans = sorted(_span(text, line) for text in match["spans"].split(","))
        # Only the last span of a day may run past midnight.
        if any(
            not opens < closes <= following[0] for (opens, closes), following in pairwise(spans)
        ):
            raise ValueError(line)
        start, end = DAYS.index(first), DAYS.index(last)
        for number in range(start, end + 1 if end >= start else end + 1 + len(DAYS)):
            hours[DAYS[number % len(DAYS)]] = [list(span) for span in spans]
    return hours


def _span(text: str, line: str) -> tuple[str, str]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(line)
    # A store's clock has no 24:00; an end at or before its start is the next day's.
    return match["opens"], "00:00" if match["closes"] == "24:00" else match["closes"]
