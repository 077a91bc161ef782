"""The form of the spool's files: frames with a length and a checksum, appended and synced.

A frame is `O2S1`, the payload's length and its CRC-32 (big-endian, 4 bytes each), the payload. A
crash can tear only the last frame of a file, and whoever wrote that was never told it is safe.
"""

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import msgspec

from o2o.infra.logging import get_logger

log = get_logger(__name__)

MAGIC = b"O2S1"
HEAD_BYTES = 12
# A body of one megabyte and what stands around it.
PAYLOAD_BYTES_MAX = 4 << 20
SUFFIX = ".spool"


class SpoolRecord(msgspec.Struct, frozen=True, array_like=True):
    """One verified callback: enough to take it into the inbox as if it arrived now."""

    account: str
    openid: str
    fields: dict[str, Any]
    timestamp: str
    nonce: str
    # Nanoseconds since 1970, UTC; orders records of several processes.
    received_ns: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SpoolRecord)


def encode_frame(record: SpoolRecord) -> bytes:
    """Return the bytes to append for a record."""
    payload = _ENCODER.encode(record)
    return b"".join(
        (MAGIC, len(payload).to_bytes(4, "big"), crc32(payload).to_bytes(4, "big"), payload)
    )


def read_frames(content: bytes, offset: int = 0) -> Iterator[tuple[SpoolRecord, int]]:
    """Yield the whole records from an offset on, each with the offset behind it.

    Stops at the first frame that is torn or altered.
    """
    while len(content) - offset >= HEAD_BYTES:
        size = int.from_bytes(content[offset + 4 : offset + 8], "big")
        end = offset + HEAD_BYTES + size
        payload = content[offset + HEAD_BYTES : end]
        checksum = int.from_bytes(content[offset + 8 : offset + HEAD_BYTES], "big")
        is_whole = (
            content[offset : offset + 4] == MAGIC
            and size <= PAYLOAD_BYTES_MAX
            and end <= len(content)
            and crc32(payload) == checksum
        )
        if not is_whole:
            return
        yield _DECODER.decode(payload), end
        offset = end
