"""Typed reasons: kept beside the books, so that they can go, under a hash that stays in them.

The hash is salted and the salt goes with the words: what nobody may know any more cannot be found
by trying names either. As long as the words are there, nobody changes them unseen.
"""

import hashlib
import os

import msgspec

from o2o.kernel.text import without_controls

SALT_BYTES = 16
# Before each hash; reasons of before stand in the books as they were typed.
MARK = "sha256:"


class KeptReason(msgspec.Struct, frozen=True):
    """What stands beside the books and, as `sealed`, in them."""

    words: str
    salt: bytes
    sealed: str


def keep_reason(reason: str | None) -> KeptReason | None:
    """Return a reason as it is kept, None where there is nothing to read in it."""
    # PostgreSQL refuses NUL in text, and nothing unseen belongs beside the books.
    words = without_controls(reason) if reason else ""
    if not words:
        return None
    salt = os.urandom(SALT_BYTES)
    digest = hashlib.sha256(salt + words.encode()).hexdigest()
    return KeptReason(words, salt, f"{MARK}{digest}")
