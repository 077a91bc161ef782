"""Codes that only we can make: the door's, which proves presence, and the paper ticket's.

A code is the id it speaks of, which edition of it this is, and a MAC over both and the purpose. A
code of another purpose, store or edition is not good; one of an earlier edition was good once.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

import msgspec

# Signs a text for a use: HMAC under the site's secret (`Seal.hash_of`).
Sign = Callable[[str, str], bytes]

DOOR = "door_code"
PAPER = "paper_ticket"
EDITION_BYTES = 2
# 96 bits: nobody guesses them, and the code stays coarse enough for a worn poster.
MAC_BYTES = 12
_ID_BYTES = 16
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9_-]")
_BODY_BYTES = _ID_BYTES + EDITION_BYTES
EDITION_MAX = 2 ** (8 * EDITION_BYTES) - 1
# Thirty bytes in base64, which needs no padding for so many.
CODE_CHARS = 40


class CodeFault(StrEnum):
    """Why a code is not good."""

    FORGED = "forged"
    # Good once: the store has a newer edition.
    RETIRED = "retired"


class Read(msgspec.Struct, frozen=True):
    """What a code of ours says."""

    subject_id: UUID
    edition: int


def make_code(sign: Sign, *, purpose: str, subject_id: UUID, edition: int = 1) -> str:
    """Return the code of a purpose about something, 40 characters that stand in any address."""
    assert 0 < edition <= EDITION_MAX
    body = subject_id.bytes + edition.to_bytes(EDITION_BYTES)
    return urlsafe_b64encode(body + _mac(sign, purpose, body)).decode()


def read_code(sign: Sign, *, purpose: str, code: str) -> Read | None:
    """Return what a code says; None where we did not make it for this."""
    if len(code) != CODE_CHARS or _NOT_BASE64.search(code):
        return None
    raw = urlsafe_b64decode(code)
    body = raw[:_BODY_BYTES]
    if not hmac.compare_digest(raw[_BODY_BYTES:], _mac(sign, purpose, body)):
        return None
    return Read(UUID(bytes=body[:_ID_BYTES]), int.from_bytes(body[_ID_BYTES:]))


def make_door_code(sign: Sign, store_id: UUID, *, edition: int) -> str:
    """Return the code that stands at a store's door."""
    return make_code(sign, purpose=DOOR, subject_id=store_id, edition=edition)


def read_door_code(sign: Sign, code: str, *, store_id: UUID, edition: int) -> CodeFault | None:
    """Return why a code does not prove presence at a store's door; None where it does."""
    read = read_code(sign, purpose=DOOR, code=code)
    if read is None or read.subject_id != store_id:
        return CodeFault.FORGED
    return None if read.edition == edition else CodeFault.RETIRED


def _mac(sign: Sign, purpose: str, body: bytes) -> bytes:
    return sign(body.hex(), purpose)[:MAC_BYTES]
