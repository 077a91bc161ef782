"""Addresses of hall displays: signed, so that a TV needs no sign-in and nobody guesses one."""

import hmac
from uuid import UUID

from o2o.infra.seal import Seal

KEY_BYTES = 12


def display_key(seal: Seal, store_id: UUID) -> str:
    """Return the part of a display's address that only we can make."""
    return seal.hash_of(str(store_id), use="display")[:KEY_BYTES].hex()


def display_path(seal: Seal, store_id: UUID) -> str:
    """Return the address of a store's display below the site's own."""
    return f"/display/{store_id}?key={display_key(seal, store_id)}"


def is_display_key(seal: Seal, store_id: UUID, given: str) -> bool:
    """Whether a display's address was made by us for this store."""
    return hmac.compare_digest(display_key(seal, store_id).encode(), given.encode())
