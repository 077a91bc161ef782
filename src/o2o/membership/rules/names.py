"""Real names: letters of any script, with the dot that long names are written with."""

import re
import unicodedata
from itertools import pairwise

from o2o.kernel.text import fold_width
from o2o.membership.errors_identity import NameInvalid

CHARS_MIN = 2
CHARS_MAX = 30
DOT = "\u00b7"
# What keyboards and papers put in its place.
_DOTS = re.compile("[\u2022\u2027\u22c5\u30fb\uff65]")
_BLANKS = re.compile(r"\s+")
# Beside letters: the dot, and what stands between the parts of foreign names.
_BETWEEN = frozenset(f"{DOT} -'\u2019")


def parse_real_name(text: str) -> str:
    """Return a real name in one form. Raises NameInvalid.

    2 to 30 characters, all letters (or their marks) but for a dot, blank, hyphen or apostrophe
    between two letters.
    """
    folded = _BLANKS.sub(" ", _DOTS.sub(DOT, fold_width(_DOTS.sub(DOT, text))))
    is_long_enough = CHARS_MIN <= len(folded) <= CHARS_MAX
    if not is_long_enough or not (_is_letter(folded[0]) and _is_letter(folded[-1])):
        raise NameInvalid
    if not all(_is_letter(char) or char in _BETWEEN for char in folded):
        raise NameInvalid
    if any(a in _BETWEEN and b in _BETWEEN for a, b in pairwise(folded)):
        raise NameInvalid
    return folded


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in {"L", "M"}
