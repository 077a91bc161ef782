"""Reads single values out of parsed fields; odd content is empty or None, never an error."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from o2o.wechat.codec.message_types import Datum, InboundMessage

Fields = Mapping[str, Any]
Head = tuple[str, str, int, int | None, dict[str, Any]]
"""What every InboundMessage starts with, in the order of its fields."""
Build = Callable[[Head, Fields, Datum], InboundMessage]

LATITUDE_MAX: Final = 90.0
LONGITUDE_MAX: Final = 180.0

INTEGER_MAX: Final = (1 << 63) - 1
_INTEGER_LENGTH_MAX: Final = 20
# So few digits are within the column whatever they are.
_DIGITS_SURE: Final = len(str(INTEGER_MAX))
_FLOAT_LENGTH_MAX: Final = 40
_FLOAT_CHARACTERS: Final = frozenset("0123456789+-.eE")
_NOTHING: Final[Fields] = {}


def text_of(fields: Fields, tag: str) -> str:
    """The text under a tag; empty when it is missing, repeated or has children."""
    value = fields.get(tag)
    if type(value) is str:
        return value
    # Fields kept as JSON may carry numbers as such.
    return str(value) if type(value) is int else ""


def integer_of(fields: Fields, tag: str) -> int | None:
    """A decimal number within a signed 64-bit column; None for anything else."""
    text = text_of(fields, tag)
    if len(text) < _DIGITS_SURE and text.isascii() and text.isdigit():
        return int(text)
    digits = text.removeprefix("-")
    # isdigit alone also accepts full-width digits and superscripts.
    if not digits.isdigit() or not digits.isascii() or len(digits) > _INTEGER_LENGTH_MAX:
        return None
    number = int(text)
    return number if -INTEGER_MAX <= number <= INTEGER_MAX else None


def float_of(fields: Fields, tag: str, *, within: float = math.inf) -> float | None:
    """A finite decimal number whose magnitude is at most ``within``; None for anything else."""
    text = text_of(fields, tag)
    # float() also reads "nan", "infinity", "1_0" and full-width digits.
    if not text or len(text) > _FLOAT_LENGTH_MAX or not _FLOAT_CHARACTERS.issuperset(text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= within else None


def child_of(fields: Fields, tag: str) -> Fields:
    """The children of an element: of the first if repeated, none if missing or text."""
    children = children_of(fields, tag)
    return children[0] if children else _NOTHING


def children_of(fields: Fields, tag: str) -> list[Fields]:
    """Every element of a tag that has children: none, the single one, or all of a repeated tag."""
    return [value for value in _values(fields, tag) if isinstance(value, dict)]


def texts_of(fields: Fields, tag: str) -> list[str]:
    """Every text under a tag, repeated or not; empty ones left out."""
    return [value for value in _values(fields, tag) if isinstance(value, str) and value]


def _values(fields: Fields, tag: str) -> list[Any]:
    value = fields.get(tag)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
