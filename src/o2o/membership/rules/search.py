"""What somebody means who types into the members' search box."""

import re
from enum import StrEnum

import msgspec

from o2o.kernel.text import fold_width, without_controls

CHARS_MAX = 64
# Fewer digits than these are the tail of half the city.
TAIL_DIGITS_MIN = 4

_BETWEEN_DIGITS = re.compile(r"[\s\-.()]")
_NUMBER = re.compile(r"(?:\+?86)?([0-9]{4,32})", re.ASCII)
_CARD = re.compile(r"(?=.*[0-9])[0-9A-Za-z]{4,32}", re.ASCII)
_CODE_POINT_MAX = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


class SearchKind(StrEnum):
    """By what members are looked for."""

    # Nothing was typed: whoever joined last.
    LATEST = "latest"
    # The last digits of a phone or a card, or the whole of it.
    NUMBER = "number"
    # A card bought over the counter, with letters in its number.
    CARD = "card"
    # One letter: family names begin with it.
    NAME_START = "name_start"
    NAME = "name"


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for, in the form in which it is kept."""

    kind: SearchKind
    value: str = ""


def read_search(typed: str) -> Search:
    """Tell numbers from names; full width, blanks and dashes are understood."""
    text = fold_width(without_controls(typed[: 4 * CHARS_MAX]))[:CHARS_MAX]
    if not text:
        return Search(kind=SearchKind.LATEST)
    closed = _BETWEEN_DIGITS.sub("", text)
    if number := _NUMBER.fullmatch(closed):
        return Search(kind=SearchKind.NUMBER, value=number[1])
    if _CARD.fullmatch(closed):
        return Search(kind=SearchKind.CARD, value=closed.upper())
    if len(text) == 1:
        return Search(kind=SearchKind.NAME_START, value=text)
    return Search(kind=SearchKind.NAME, value=text)


def end_of_prefix(prefix: str) -> str:
    """Return the least text, byte by byte, that comes after all that begin with `prefix`."""
    for length in range(len(prefix), 0, -1):
        following = ord(prefix[length - 1]) + 1
        if following in _SURROGATES:
            following = _SURROGATES.stop
        if following <= _CODE_POINT_MAX:
            return prefix[: length - 1] + chr(following)
    return chr(_CODE_POINT_MAX)
