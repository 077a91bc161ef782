"""Booking codes: four characters that nobody mistakes, said at the door or typed into the chat."""

import re
import secrets

from o2o.kernel.text import fold_width, without_controls

# Without 0 and O, 1 and I: whoever writes one down reads it back the same.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHARS = 4
_CODE = re.compile(f"[{ALPHABET}]{{{CHARS},8}}")


def make_code() -> str:
    """Draw a code; whether somebody has it already is for the store's bookings to say."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CHARS))


def read_code(text: str) -> str | None:
    """Return a typed code as it is kept, or None when it cannot be one."""
    folded = "".join(fold_width(without_controls(text)).split()).strip("#-.").upper()
    return folded if _CODE.fullmatch(folded) else None
