"""Which six digits make a pay PIN, and how often a wrong one may be tried."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

PIN_DIGITS = 6
# Five wrong ones in a row, then half an hour (RELIABILITY, section 3.1).
FAILURES_MAX = 5
LOCKED_FOR = timedelta(minutes=30)

# Not covered by a rule below, and tried first by everybody who guesses.
COMMON = frozenset(
    {"112233", "445566", "778899", "147258", "258369", "159357", "520131", "131452", "147852"}
)

Weakness = Literal["common", "repeated", "in_a_row", "birthday", "phone"]


def is_pin(text: str) -> bool:
    """Whether it is exactly six digits 0-9; full-width ones are none."""
    return len(text) == PIN_DIGITS and text.isascii() and text.isdigit()


def pin_weakness(pin: str, *, birthday: date | None, phone: str | None) -> Weakness | None:
    """Why a PIN is one of the first that a stranger tries, or None.

    Covers repeats (`111111`, `121212`, `123123`), runs in either direction (`123456`, `890123`),
    the member's birthday in the orders people write one, the ends of the phone, and a short list.
    """
    if any(pin == pin[:length] * (PIN_DIGITS // length) for length in (1, 2, 3)):
        return "repeated"
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if steps in ({1}, {9}):
        return "in_a_row"
    if birthday is not None and pin in _birthday_pins(birthday):
        return "birthday"
    if phone and pin in {phone[:PIN_DIGITS], phone[-PIN_DIGITS:]}:
        return "phone"
    return "common" if pin in COMMON else None


def _birthday_pins(day: date) -> set[str]:
    year, month, of_month = f"{day:%Y}", f"{day:%m}", f"{day:%d}"
    short = year[2:]
    return {
        short + month + of_month,
        of_month + month + short,
        month + of_month + short,
        year + month,
        year + of_month,
        month + year,
        of_month + year,
        year + f"{day.month}{day.day}",
        f"{day.month}{day.day}" + year,
    }
