"""Numbers and codes of cards bought over the counter, as printed and as people type them."""

import re

from o2o.kernel.text import fold_width, without_controls

_BETWEEN = re.compile(r"[\s\-\u2010-\u2015]")
_CARD_NO = re.compile(r"[0-9A-Z]{4,32}", re.ASCII)
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4,32}", re.ASCII)
# Crockford's alphabet has no I, L, O, U: what is read as one of the first three is a digit.
_MISREAD = str.maketrans("OIL", "011")
CHARS_MAX = 64


def fold_card_no(text: str) -> str | None:
    """Return a card number as it is kept: capitals, no blanks, half width; None if it is none."""
    return _folded(text, _CARD_NO)


def fold_card_code(text: str) -> str | None:
    """Return the code under the scratch-off in one form (Crockford); None if it is none."""
    folded = _joined(text)
    if folded is None:
        return None
    folded = folded.translate(_MISREAD)
    return folded if _CODE.fullmatch(folded) else None


def _folded(text: str, pattern: re.Pattern[str]) -> str | None:
    folded = _joined(text)
    return folded if folded is not None and pattern.fullmatch(folded) else None


def _joined(text: str) -> str | None:
    if len(text) > CHARS_MAX:
        return None
    return _BETWEEN.sub("", fold_width(without_controls(text))).upper()
