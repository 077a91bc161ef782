"""Cells read as what their column is for: numbers of phones and cards, amounts, dates, names."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from o2o.kernel.text import fold_width, without_controls
from o2o.membership.imports.faults import CellWrong
from o2o.membership.rules.scratch_cards import fold_card_code, fold_card_no

CELL_CHARS_MAX = 256
NAME_CHARS_MAX = 64
CARD_CHARS_MAX = 32
PHONE_DIGITS = 11
OLDEST_YEAR = 1980
AMOUNT_DIGITS_MAX = 9

_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:\.[0-9]+)?E\+?[0-9]{1,3}", re.ASCII | re.IGNORECASE)
# A card number may have an E between digits; what a spreadsheet makes of one has a plus as well.
_SHORTENED = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]{1,3}", re.ASCII | re.IGNORECASE)
# ="0012" and '0012 are how other programs keep a spreadsheet from eating zeros.
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_CARD_NO = re.compile(r"[0-9A-Z]{4,32}", re.ASCII)
_COUNTRY = re.compile(r"(?:\+|00)86|86(?=1[3-9][0-9]{9}$)", re.ASCII)
_BETWEEN_DIGITS = re.compile(r"[\s\-.()\u2010-\u2015]")
_DECIMAL = re.compile(r"[0-9]+(?:\.([0-9]*))?", re.ASCII)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
_DATE = re.compile(
    "([0-9]{4})(?:[-/.\u5e74]([0-9]{1,2})[-/.\u6708]([0-9]{1,2})\u65e5?|([0-9]{2})([0-9]{2}))"
    r"(?:[ T][0-9:.]{4,15}Z?)?",
    re.ASCII,
)
# What nearly every cell of a file is; the readers below look here first.
_PLAIN_FEN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,2}))?", re.ASCII)
_USUAL_FEN = range(4, AMOUNT_DIGITS_MAX + 4)
_PLAIN_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_PLAIN_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4,32}", re.ASCII)
_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
# Whatever `plain_cell` would have to look at: quotes, formulas, and all that is not printed.
_SURROUNDED = re.compile(
    "['=\x00-\x1f\x7f-\xa0\xad\u1680\u2000-\u206f\u3000\ud800-\uf8ff"
    "\ufe00-\ufe0f\ufeff\ufff0-\uffff\U000e0000-\U0010ffff]"
)
# Signs of the currency, before or after.
_CURRENCY = "\u00a5\uffe5\u5143 "


def plain_cell(cell: str) -> str:
    """Return a cell without what surrounds it. Raises CellWrong for control characters."""
    text = cell.strip()
    if text.startswith("'"):
        text = text[1:].strip()
    if len(text) > CELL_CHARS_MAX:
        raise CellWrong("too_long", CELL_CHARS_MAX)
    if not text.isprintable():
        text = " ".join(text.split())
        if without_controls(text) != text:
            raise CellWrong("control_characters")
    if text.startswith('="') and (match := _TEXT_FORMULA.fullmatch(text)):
        text = match[1].strip()
    return text


def plain_row(cells: Sequence[str]) -> list[str] | None:
    """Return the cells of a row in which nothing needs a closer look; None of any other."""
    row = "|".join(cells)
    if len(row) > CELL_CHARS_MAX or _SURROUNDED.search(row):
        return None
    return [cell.strip() for cell in cells] if " " in row else list(cells)


def phone_cell(text: str) -> str | None:
    """Return eleven digits, or None of an empty cell. Raises CellWrong."""
    if _MOBILE.fullmatch(text):
        return text
    if not text:
        return None
    if _SCIENTIFIC.fullmatch(text):
        raise CellWrong("phone_scientific")
    digits = _COUNTRY.sub("", _BETWEEN_DIGITS.sub("", fold_width(text)), count=1)
    if not (digits.isascii() and digits.isdecimal()):
        raise CellWrong("phone_not_digits")
    if len(digits) < PHONE_DIGITS:
        raise CellWrong("phone_too_short", PHONE_DIGITS - len(digits))
    if len(digits) > PHONE_DIGITS:
        raise CellWrong("phone_too_long", len(digits) - PHONE_DIGITS)
    if not _MOBILE.fullmatch(digits):
        raise CellWrong("phone_not_mobile")
    return digits


def card_no_cell(text: str) -> str:
    """Return a card number as it is kept. Raises CellWrong."""
    if _CARD_NO.fullmatch(text):
        return text
    if not text:
        raise CellWrong("card_no_missing")
    if _SHORTENED.fullmatch(text):
        raise CellWrong("card_no_scientific")
    if len(text) > CARD_CHARS_MAX:
        raise CellWrong("card_no_too_long", CARD_CHARS_MAX)
    folded = fold_card_no(text)
    if folded is None:
        raise CellWrong("card_no_odd")
    return folded


def code_cell(text: str) -> str | None:
    """Return the code under the scratch-off in one form, or None. Raises CellWrong."""
    if not text:
        return None
    if _PLAIN_CODE.fullmatch(text):
        return text
    if _SHORTENED.fullmatch(text):
        raise CellWrong("code_scientific")
    folded = fold_card_code(text)
    if folded is None:
        raise CellWrong("code_odd")
    return folded


def name_cell(text: str) -> str | None:
    """Return a name as it was written, also one that looks like a formula. Raises CellWrong."""
    if len(text) > NAME_CHARS_MAX:
        raise CellWrong("name_too_long", NAME_CHARS_MAX)
    return text or None


def fen_cell(text: str) -> int:
    """Return yuan as fen, 0 of an empty cell. Raises CellWrong."""
    if not text:
        return 0
    # Two digits after a point: what nearly every amount is.
    if text[-3:-2] == "." and len(text) in _USUAL_FEN:
        digits = text[:-3] + text[-2:]
        if digits.isascii() and digits.isdigit():
            return int(digits)
    if match := _PLAIN_FEN.fullmatch(text):
        whole, part = match.groups()
        return int(whole) * 100 + int(part.ljust(2, "0") if part else 0)
    amount = _amount(text)
    whole, _, part = amount.partition(".")
    if part[2:].strip("0"):
        raise CellWrong("amount_too_precise")
    return int(whole) * 100 + int(part[:2].ljust(2, "0"))


def whole_cell(text: str) -> int:
    """Return a number of points or pieces, 0 of an empty cell. Raises CellWrong."""
    if not text:
        return 0
    if _PLAIN_WHOLE.fullmatch(text):
        return int(text)
    amount = _amount(text)
    whole, _, part = amount.partition(".")
    if part.strip("0"):
        raise CellWrong("not_whole")
    return int(whole)


def _amount(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        if _SCIENTIFIC.fullmatch(text):
            raise CellWrong("amount_scientific")
        text = unicodedata.normalize("NFKC", text).strip(_CURRENCY)
        bare = text.lstrip("-\u2212(").strip(_CURRENCY)
        if bare != text and _DECIMAL.match(bare):
            raise CellWrong("amount_negative")
        if _GROUPED.fullmatch(text):
            text = text.replace(",", "")
        if not _DECIMAL.fullmatch(text):
            raise CellWrong("amount_not_number")
    if len(text.partition(".")[0].lstrip("0")) > AMOUNT_DIGITS_MAX:
        raise CellWrong("amount_too_large")
    return text


def date_cell(text: str, *, today: date) -> date | None:
    """Return a day up to today, or None of an empty cell. Raises CellWrong."""
    if not text:
        return None
    try:
        if _PLAIN_DATE.fullmatch(text):
            found = date.fromisoformat(text)
        elif match := _DATE.fullmatch(text):
            year, month, day = match[1], match[2] or match[4], match[3] or match[5]
            found = date(int(year), int(month), int(day))
        else:
            raise CellWrong("date_odd")
    except ValueError as error:
        raise CellWrong("date_odd") from error
    if found.year < OLDEST_YEAR:
        raise CellWrong("date_too_old", OLDEST_YEAR)
    if found > today:
        raise CellWrong("date_future")
    return found
