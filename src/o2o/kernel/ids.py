"""Identities: UUIDv7 made by us, one NewType per kind of thing."""

import os
import time
from typing import NewType
from uuid import UUID

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


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Ordered by time, so that index pages fill from one side.
    """
    random = int.from_bytes(os.urandom(10))
    millis = time.time_ns() // 1_000_000
    high = (random >> 68) << 64
    low = random & ((1 << 62) - 1)
    return UUID(int=(millis << 80) | _VERSION | (high & (0xFFF << 64)) | _VARIANT | low)


def new_request_id() -> RequestId:
    """Name one intention of ours, for calls between our own parts and for tests."""
    return RequestId(new_id())
