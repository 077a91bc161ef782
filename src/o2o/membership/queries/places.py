"""Where a page of a list ends: carried by the address of the next page, as text nobody edits."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from o2o.membership.errors_dossier import PlaceUnknown

T = TypeVar("T")
CHARS_MAX = 2_000


def write_place(place: object) -> str:
    """Return a place as a word for an address."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_place(text: str, kind: type[T]) -> T:
    """Return the place that a word means. Raises PlaceUnknown for anything we did not write."""
    if len(text) > CHARS_MAX:
        raise PlaceUnknown
    try:
        plain = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.json.decode(plain, type=kind)
    except (ValueError, msgspec.MsgspecError) as broken:
        raise PlaceUnknown from broken
