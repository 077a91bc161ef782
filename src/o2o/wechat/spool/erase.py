"""Forget a person in what the spool set aside: messages that could not be taken in, torn ends.

What waits in the spool itself is taken in within seconds; what was set aside stays for somebody to
look at, and would know an openid for ever.
"""

from collections.abc import Collection
from pathlib import Path

from o2o.wechat.spool.drain import REJECTED_SUFFIX, TORN_SUFFIX
from o2o.wechat.spool.frames import encode_frame, read_frames


def erase_from_spool(folder: Path, openids: Collection[str]) -> int:
    """Drop the frames of these people from files that were set aside; how many files changed."""
    if not folder.is_dir():
        return 0
    changed = 0
    for file in sorted(folder.glob(f"*{REJECTED_SUFFIX}")):
        records = [record for record, _ in read_frames(file.read_bytes())]
        kept = [record for record in records if record.openid not in openids]
        if len(kept) < len(records):
            changed += 1
            _rewrite(file, b"".join(encode_frame(record) for record in kept))
    for file in sorted(folder.glob(f"*{TORN_SUFFIX}")):
        content = file.read_bytes()
        # Nothing in a torn end can be told apart: with one name in it, all of it goes.
        if any(openid.encode() in content for openid in openids):
            changed += 1
            file.unlink(missing_ok=True)
    return changed


def _rewrite(file: Path, content: bytes) -> None:
    if not content:
        file.unlink(missing_ok=True)
        return
    beside = file.with_name(f"{file.name}.new")
    beside.write_bytes(content)
    beside.replace(file)
