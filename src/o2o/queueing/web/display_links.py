"""Addresses of hall displays: signed, so that a TV needs no sign-in and nobody guesses one.

A store has one good address at a time. A new one is of the next edition, and says so in its key:
then an old address is known for what it is, and whoever stands before the screen is told.
"""

import hmac
import re
from uuid import UUID

from o2o.infra.seal import Seal

KEY_BYTES = 12
# The first edition's key says nothing of it.
_KEY = re.compile(r"(?:([1-9][0-9]{0,4})\.)?([0-9a-f]{24})", re.ASCII)


def display_key(seal: Seal, store_id: UUID, *, edition: int = 1) -> str:
    """Return the part of a display's address that only we can make."""
    if edition == 1:
        return _mac(seal, str(store_id))
    return f"{edition}.{_mac(seal, f'{store_id}/{edition}')}"


def display_path(seal: Seal, store_id: UUID, *, edition: int = 1) -> str:
    """Return the address of a store's display below the site's own."""
    return f"/display/{store_id}?key={display_key(seal, store_id, edition=edition)}"


def read_display_key(seal: Seal, store_id: UUID, given: str) -> int | None:
    """Return which edition of a store's address somebody has; None where we did not make it."""
    read = _KEY.fullmatch(given)
    if read is None:
        return None
    edition = int(read[1] or 1)
    good = display_key(seal, store_id, edition=edition)
    return edition if hmac.compare_digest(good.encode(), given.encode()) else None


def _mac(seal: Seal, subject: str) -> str:
    return seal.hash_of(subject, use="display")[:KEY_BYTES].hex()
