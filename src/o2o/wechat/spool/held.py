"""Who has messages in the spool: their later ones must queue behind, or their order is lost."""

import time
from collections.abc import Callable
from pathlib import Path

from o2o.wechat.spool.frames import SUFFIX, read_frames

Person = tuple[str, str]
# Files of other processes are looked at this often; a person's messages are seconds apart.
RESCAN_SECONDS = 0.5


class HeldPeople:
    """People with spooled messages, in files of this process and of others on this machine."""

    def __init__(self, folder: Path, *, ticks: Callable[[], float] = time.monotonic) -> None:
        """Look into `folder`, which may hold files left by a crash."""
        self._folder = folder
        self._ticks = ticks
        self._files: dict[Person, Path] = {}
        self._read_to: dict[Path, int] = {}
        self._scanned_at = float("-inf")

    def note(self, person: Person, file: Path) -> None:
        """Remember that a person's newest message is in that file, which the drain removes."""
        self._files[person] = file

    def holds(self, person: Person) -> bool:
        """Whether a person's messages still wait in the spool."""
        if self._ticks() - self._scanned_at >= RESCAN_SECONDS:
            self._rescan()
        file = self._files.get(person)
        if file is None:
            return False
        if file.exists():
            return True
        del self._files[person]
        return False

    def _rescan(self) -> None:
        self._scanned_at = self._ticks()
        try:
            present = sorted(self._folder.glob(f"*{SUFFIX}"))
        except OSError:
            return
        if not present and not self._files:
            self._read_to.clear()
            return
        for file in present:
            self._read_on(file)
        self._files = {person: file for person, file in self._files.items() if file.exists()}
        self._read_to = {file: end for file, end in self._read_to.items() if file in present}

    def _read_on(self, file: Path) -> None:
        """Read what was appended since the last look."""
        start = self._read_to.get(file, 0)
        try:
            if file.stat().st_size <= start:
                return
            with file.open("rb") as opened:
                opened.seek(start)
                content = opened.read()
        except OSError:
            return
        read = 0
        for record, end in read_frames(content):
            self._files[record.account, record.openid] = file
            read = end
        self._read_to[file] = start + read
