"""Template messages by purpose: which template serves it and the form its values must have.

Limits: WECHAT.md §2.3 of the platform facts; a value over its limit is refused with 47003, so
values are brought into form before they are queued.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

import msgspec

from o2o.kernel.money import FEN_PER_YUAN
from o2o.kernel.text import without_controls
from o2o.wechat.errors import PurposeUnknown, TemplateValuesWrong

Value = str | int | datetime

THING_CHARS_MAX = 20
CHARACTER_STRING_CHARS_MAX = 32
NUMBER_DIGITS_MAX = 32
SYMBOL_CHARS_MAX = 5
PHONE_CHARS_MAX = 17
CAR_CHARS_MAX = 8
NAME_WIDTH_MAX = 20
PHRASE_CHARS_MAX = 5
AMOUNT_DIGITS_MAX = 10
ELLIPSIS = "\u2026"
# WeChat refuses an empty value; a dash says that there is none.
NOTHING = "-"
WIDE_FROM = "\u2e80"
_NOT_PRINTABLE_ASCII = re.compile(r"[^\x20-\x7e]")
_NOT_HAN = re.compile("[^\u4e00-\u9fff]")
_NOT_PHONE = re.compile(r"[^0-9+\-() ]")
_NOT_LETTERS = re.compile(r"[^A-Za-z]")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class Purpose(msgspec.Struct, frozen=True):
    """One purpose: its template in WeChat's library and where our values go."""

    short_id: str
    title: str
    keywords: list[str]
    fields: dict[str, str]


class _File(msgspec.Struct, frozen=True):
    formats: dict[str, str]
    purposes: dict[str, Purpose]


@cache
def _file() -> _File:
    content = files("o2o.wechat").joinpath("templates.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(content), type=_File)


def purposes() -> Mapping[str, Purpose]:
    """Return every declared purpose by name."""
    return _file().purposes


def get_purpose(name: str) -> Purpose:
    """Return a purpose. Raises PurposeUnknown."""
    purpose = _file().purposes.get(name)
    if purpose is None:
        raise PurposeUnknown(purpose=name)
    return purpose


def fill(purpose_name: str, values: Mapping[str, Value]) -> dict[str, str]:
    """Return the template's fields with our values in the form WeChat takes.

    Amounts are integer fen, times aware instants in the zone they are to be shown in, the rest is
    text. Raises PurposeUnknown, and TemplateValuesWrong for a missing or undeclared value, or one
    of the wrong type.
    """
    purpose = get_purpose(purpose_name)
    if missing := sorted(purpose.fields.keys() ^ values.keys()):
        raise TemplateValuesWrong(purpose=purpose_name, names=", ".join(missing))
    filled: dict[str, str] = {}
    for name, field in purpose.fields.items():
        form = _FORMS.get(field.rstrip("0123456789"))
        shown = form(values[name]) if form is not None else None
        if shown is None:
            raise TemplateValuesWrong(purpose=purpose_name, names=name)
        filled[field] = shown
    return filled


def _text(value: Value) -> str | None:
    return " ".join(without_controls(value).split()) if isinstance(value, str) else None


def cut(text: str, chars_max: int) -> str:
    """Shorten a text to so many characters, the last one an ellipsis when something is missing."""
    return text if len(text) <= chars_max else text[: chars_max - 1].rstrip() + ELLIPSIS


def _thing(value: Value) -> str | None:
    text = _text(value)
    return None if text is None else cut(text, THING_CHARS_MAX) or NOTHING


def _amount(value: Value) -> str | None:
    if isinstance(value, str | bool | datetime):
        return None
    whole, cents = divmod(value, FEN_PER_YUAN)
    yuan = f"{whole}.{cents:02d}"
    if value < 0 or len(yuan) > AMOUNT_DIGITS_MAX + 1:
        return None
    return _file().formats["amount"].format(yuan=yuan)


def _moment(form: str) -> Callable[[Value], str | None]:
    def shown(value: Value) -> str | None:
        if not isinstance(value, datetime) or value.tzinfo is None:
            return None
        return (
            _file()
            .formats[form]
            .format(
                year=value.year,
                month=value.month,
                day=value.day,
                hour=value.hour,
                minute=value.minute,
            )
        )

    return shown


def _without(pattern: re.Pattern[str], chars_max: int) -> Callable[[Value], str | None]:
    """A kind that takes only certain characters: the others are left out, the rest is cut."""

    def shown(value: Value) -> str | None:
        text = _text(value)
        return None if text is None else pattern.sub("", text)[:chars_max].strip() or None

    return shown


def _number(value: Value) -> str | None:
    if isinstance(value, bool | datetime):
        return None
    text = str(value)
    return text if len(text) <= NUMBER_DIGITS_MAX and _NUMBER.fullmatch(text) else None


def _name(value: Value) -> str | None:
    text = _text(value)
    if not text:
        return None
    width, kept = 0, ""
    for character in text:
        width += 2 if character >= WIDE_FROM else 1
        if width > NAME_WIDTH_MAX:
            break
        kept += character
    return kept


def _car_number(value: Value) -> str | None:
    text = _text(value)
    return text if text and len(text) <= CAR_CHARS_MAX else None


_FORMS: dict[str, Callable[[Value], str | None]] = {
    "thing": _thing,
    "amount": _amount,
    "time": _moment("time"),
    "date": _moment("date"),
    "number": _number,
    "letter": _without(_NOT_LETTERS, NUMBER_DIGITS_MAX),
    "character_string": _without(_NOT_PRINTABLE_ASCII, CHARACTER_STRING_CHARS_MAX),
    "phone_number": _without(_NOT_PHONE, PHONE_CHARS_MAX),
    "phrase": _without(_NOT_HAN, PHRASE_CHARS_MAX),
    "name": _name,
    "car_number": _car_number,
}
