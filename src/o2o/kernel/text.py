"""Text from people: width folding, masking and control characters."""

import re
import unicodedata

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
# What makes a picture of a digit: the choice of its form, and the key drawn around it.
_KEYCAP = re.compile(r"[\ufe0e\ufe0f\u20e3]")


def fold_width(text: str) -> str:
    """Make full-width and half-width forms and digits on keys the same, trimmed.

    By NFKC; for commands only.
    """
    return _KEYCAP.sub("", unicodedata.normalize("NFKC", text)).strip()


def without_controls(text: str) -> str:
    """Drop control, zero-width and bidirectional-override characters; trim the ends."""
    return _CONTROL.sub("", text).strip()


def mask_phone(phone: str | None) -> str | None:
    """Show a phone number as staff may see it: 138****1234."""
    if phone is None:
        return None
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else "****"


def mask_name(name: str | None) -> str | None:
    """Show a name on a shared screen: the first character, the rest starred."""
    if not name:
        return None
    return name[0] + "*" * min(len(name) - 1, 2)
