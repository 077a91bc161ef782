"""What a seal over a stretch of history is: its hash, its leaves, and which rows differ from it.

No SQL here. `queries.seals` reads rows as digests, `actions.seal_history` writes seals and
`verify` compares them; all agree on what stands here.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from struct import Struct
from typing import Literal

import msgspec

# The form of bytes that `queries.seals` writes rows in. Add another, never change one.
FORM = 1
GENESIS = bytes(32)
ENTRIES_MAX = 5_000

_HEAD = Struct(">qhqqqq")
_LEAF = Struct(">q8s8s8s")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MARK = b"o2o ledger seal"

Row = Literal["entry", "transfer", "lots"]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Entries as the database has them: how many, up to which, and their digests."""

    entries: int
    to_seq: int
    root: bytes
    leaves: bytes


class SealHead(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a seal: whoever knows it knows all history up to `to_seq`."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        """Write it as an operator keeps it: number and hash."""
        return f"{self.seq}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> "SealHead":
        """Read what `str` wrote. Raises ValueError."""
        number, _, digest = text.strip().partition(":")
        if len(digest) != 2 * hashlib.sha256().digest_size or not number.isdecimal():
            msg = f"{text!r} is no seal; one looks like 12:ab… with 64 digits of hash"
            raise ValueError(msg)
        return cls(seq=int(number), hash=bytes.fromhex(digest))


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """One seal with all its columns."""

    seq: int
    form: int
    from_seq: int
    to_seq: int
    entries: int
    root: bytes
    leaves: bytes
    prev_hash: bytes
    hash: bytes
    sealed_at: datetime

    @property
    def head(self) -> SealHead:
        """Return its name."""
        return SealHead(seq=self.seq, hash=self.hash)


class Leaf(msgspec.Struct, frozen=True):
    """Short digests of one entry, of its transfer, and of that transfer's lots and draws."""

    entry: bytes
    transfer: bytes
    lots: bytes


class Difference(msgspec.Struct, frozen=True):
    """An entry that is not as it was sealed, and which of its rows it is."""

    entry_seq: int
    row: Row
    # False where the row was never sealed, and where it is gone.
    was_sealed: bool = True
    is_there: bool = True


def seal_of(
    stretch: Stretch, *, after: Sealed | None, from_seq: int, sealed_at: datetime
) -> Sealed:
    """Seal a stretch and chain it to the seal before."""
    # Whole microseconds are what the database keeps.
    unhashed = Sealed(
        seq=after.seq + 1 if after else 1,
        form=FORM,
        from_seq=from_seq,
        to_seq=stretch.to_seq,
        entries=stretch.entries,
        root=stretch.root,
        leaves=stretch.leaves,
        prev_hash=after.hash if after else GENESIS,
        hash=b"",
        sealed_at=sealed_at,
    )
    return msgspec.structs.replace(unhashed, hash=hash_of(unhashed))


def hash_of(seal: Sealed) -> bytes:
    """SHA-256 over the hash before and every other column of the seal."""
    microseconds = (seal.sealed_at - _EPOCH) // _EPOCH.resolution
    head = _HEAD.pack(seal.seq, seal.form, seal.from_seq, seal.to_seq, seal.entries, microseconds)
    leaves = hashlib.sha256(seal.leaves).digest()
    return hashlib.sha256(_MARK + seal.prev_hash + head + seal.root + leaves).digest()


def differences(sealed: bytes, found: bytes) -> Iterator[Difference]:
    """Compare the leaves of a seal with those of the rows there are now, in order of entries."""
    before, now = _leaves(sealed), _leaves(found)
    for seq in sorted(before.keys() | now.keys()):
        if seq not in now:
            yield Difference(seq, "entry", is_there=False)
        elif seq not in before:
            yield Difference(seq, "entry", was_sealed=False)
        else:
            for row in ("entry", "transfer", "lots"):
                if getattr(before[seq], row) != getattr(now[seq], row):
                    yield Difference(seq, row)


def _leaves(packed: bytes) -> dict[int, Leaf]:
    return {seq: Leaf(*digests) for seq, *digests in _LEAF.iter_unpack(packed)}
