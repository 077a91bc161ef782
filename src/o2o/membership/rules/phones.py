"""Mobile numbers of the mainland: read as people write them, kept and compared in one form."""

import re

from o2o.kernel.text import fold_width, mask_phone, without_controls
from o2o.membership.errors_identity import PhoneInvalid

__all__ = ["mask_phone", "parse_phone"]

_BETWEEN = re.compile(r"[\s\-.()\u2010-\u2015]")
_PHONE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9][0-9]{9})", re.ASCII)
# Longer than any way to write eleven digits.
CHARS_MAX = 40


def parse_phone(text: str) -> str:
    """Return eleven digits: full width, blanks, dashes and +86 are understood.

    Raises PhoneInvalid for anything that is not one mobile number of the mainland.
    """
    if len(text) > CHARS_MAX:
        raise PhoneInvalid
    match = _PHONE.fullmatch(_BETWEEN.sub("", fold_width(without_controls(text))))
    if match is None:
        raise PhoneInvalid
    return match[1]
