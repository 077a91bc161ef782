"""What a chat message asks of bookings: `y#201212100900` books, `q#CODE` calls off.

Width, case and spaces do not matter, and people leave out the #. A line's letter or a number of
people may follow the time: `y#201212100900b`, `y#201212100900 4人`.
"""

import re
from datetime import datetime
from functools import lru_cache

import msgspec

from o2o.kernel.text import fold_width, without_controls
from o2o.queueing.rules.booking_codes import read_code

# Longer ones are not read: with a # they are said to be unreadable, others mean something else.
CHARS_MAX = 40
FOLDED_MAX = 1024
# Fewer digits without a # are something else.
DIGITS_MIN = 8
WALL_CLOCK_DIGITS = 12
YEAR_MIN, YEAR_MAX = 1000, 9998
_PEOPLE = "\u4eba"
_COMPACT = re.compile(rf"([0-9]{{12}})[#,]?([a-z])?[#,]?(?:([0-9]{{1,3}}){_PEOPLE})?")
# With what people put between: 2012-12-10 9:00, or the Chinese words for year, month, day, hour.
_APART = re.compile(
    r"([0-9]{4})(?:[-/.]|\u5e74)([0-9]{1,2})(?:[-/.]|\u6708)([0-9]{1,2})(?:\u65e5|\u53f7)?"
    r"[ t,]*([0-9]{1,2})(?:[:.]|\u65f6|\u70b9)([0-9]{1,2})?\u5206?"
    rf"[ #,]*([a-z])?[ #,]*(?:([0-9]{{1,3}}) *{_PEOPLE})?"
)
_BARE = re.compile(rf"y[0-9]{{{DIGITS_MIN},}}")


class BookingAsk(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for a slot. `at` is the store's wall clock; None where it could not be read."""

    at: datetime | None
    line: str | None = None
    party_size: int | None = None


class CancelAsk(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to call a booking off; `code` is None where none can be read."""

    code: str | None
    # Without the # a message means this only when the code is one of the asker's.
    is_plain: bool


def read_booking_ask(text: str) -> BookingAsk | None:
    """Return what a message asks to book, or None when it is about something else."""
    folded = _folded(text[: CHARS_MAX + 1])
    if not folded.startswith("y"):
        return None
    compact = "".join(folded.split())
    if len(text) > CHARS_MAX:
        return BookingAsk(at=None) if compact.startswith("y#") else None
    if not compact.startswith("y#") and not _BARE.match(compact):
        return None
    found = _COMPACT.fullmatch(compact[1:].lstrip("#"))
    if found is not None:
        digits, line, people = found.groups()
        return _ask(read_wall_clock(digits), line, people)
    apart = _APART.fullmatch(folded[1:].lstrip("# "))
    if apart is None:
        return BookingAsk(at=None)
    *parts, line, people = apart.groups()
    year, month, day, hour, minute = (part or "0" for part in parts)
    digits = f"{year}{month:0>2}{day:0>2}{hour:0>2}{minute:0>2}"
    return _ask(read_wall_clock(digits), line, people)


def read_cancel_ask(text: str) -> CancelAsk | None:
    """Return which booking a message calls off, or None when it is about something else."""
    folded = _folded(text[: CHARS_MAX + 1])
    if not folded.startswith("q"):
        return None
    compact = "".join(folded.split())
    if compact.startswith("q#"):
        return CancelAsk(code=read_code(compact[2:]), is_plain=False)
    if (code := read_code(compact[1:])) is not None:
        return CancelAsk(code=code, is_plain=True)
    return None


@lru_cache(FOLDED_MAX)
def _folded(beginning: str) -> str:
    """Return the beginning of a text in one form, without what people put around the words.

    Full stops, brackets and pictures: whatever is neither a letter, a digit nor the #. Every text
    is asked for both wishes, and people type the same few words.
    """
    folded = fold_width(without_controls(beginning)).casefold()
    words = [place for place, char in enumerate(folded) if char.isalnum() or char == "#"]
    return folded[words[0] : words[-1] + 1] if words else ""


def _ask(at: datetime | None, line: str | None, people: str | None) -> BookingAsk:
    return BookingAsk(
        at=at, line=line.upper() if line else None, party_size=int(people) if people else None
    )


def read_wall_clock(digits: str) -> datetime | None:
    """Read year, month, day, hour and minute; None for a day or a time that is not.

    The time is what a clock on the wall shows: whose wall is for others to say.
    """
    if not (digits.isascii() and digits.isdigit() and len(digits) == WALL_CLOCK_DIGITS):
        return None
    year, month, day, hour, minute = (
        int(digits[since:until]) for since, until in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12))
    )
    # Years at the ends of the calendar cannot be brought into every zone.
    if not YEAR_MIN <= year <= YEAR_MAX:
        return None
    try:
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - a wall clock; whose is not known here
    except ValueError:
        return None
