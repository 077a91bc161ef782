"""Identities: UUIDv7 made by us, one NewType per kind of thing."""

import os
import struct
import time
from typing import NewType
from uuid import UUID, SafeUUID

BrandId = NewType("BrandId", UUID)
OfficialAccountId = NewType("OfficialAccountId", UUID)
StoreId = NewType("StoreId", UUID)
FanId = NewType("FanId", UUID)
MemberId = NewType("MemberId", UUID)
CardId = NewType("CardId", UUID)
StaffId = NewType("StaffId", UUID)
PadId = NewType("PadId", UUID)
VisitId = NewType("VisitId", UUID)
AccountId = NewType("AccountId", UUID)
TransferId = NewType("TransferId", UUID)
LotId = NewType("LotId", UUID)
APIKeyId = NewType("APIKeyId", UUID)
RequestId = NewType("RequestId", UUID)

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
# Asked of the enumeration for each of many, it would cost more than the id.
_UNSAID = SafeUUID.unknown


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Ordered by time, so that index pages fill from one side.
    """
    random = int.from_bytes(os.urandom(10))
    millis = time.time_ns() // 1_000_000
    high = (random >> 68) << 64
    low = random & ((1 << 62) - 1)
    return UUID(int=(millis << 80) | _VERSION | (high & (0xFFF << 64)) | _VARIANT | low)


def new_id_bytes(count: int) -> bytes:
    """Make so many at once, 16 bytes each, in order: RFC 9562 §6.2, a counter of 24 bits.

    The counter fills the 12 bits behind the milliseconds and 12 more, so that rows written together
    lie together in an index; 50 random bits are left to each. As bytes, because objects would cost
    more than all the rest.
    """
    assert count < 1 << 24
    high = ((time.time_ns() // 1_000_000) << 16) | (_VERSION >> 64)
    randoms = struct.unpack(f">{count}Q", os.urandom(8 * count))
    halves = [
        half
        for number, random in enumerate(randoms)
        for half in (high | number >> 12, _VARIANT | (number & 0xFFF) << 50 | random >> 14)
    ]
    return struct.pack(f">{2 * count}Q", *halves)


def ids_from(packed: bytes) -> list[UUID]:
    """Return ids that were packed, 16 bytes each."""
    return [_id_of(high << 64 | low) for high, low in struct.iter_unpack(">QQ", packed)]


def _id_of(number: int) -> UUID:
    """Make an id of a number of 128 bits, without the questions that take most of the time."""
    made = object.__new__(UUID)
    object.__setattr__(made, "int", number)
    object.__setattr__(made, "is_safe", _UNSAID)
    return made


def new_request_id() -> RequestId:
    """Name one intention of ours, for calls between our own parts and for tests."""
    return RequestId(new_id())
