"""The spool's writer: appends callbacks to a file of this process and syncs many at once.

Files are taken over by whoever can lock them: the writer holds its file's lock until it closes the
file, and a writer that died holds none. A file gets its name only after it is locked.
"""

import asyncio
import fcntl
import os
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from o2o.infra.logging import get_logger
from o2o.wechat.spool.frames import SUFFIX, SpoolRecord, encode_frame
from o2o.wechat.spool.held import HeldPeople, Person

log = get_logger(__name__)

# A file is closed, and so given to the drain, this long after its first record.
OPEN_SECONDS = 0.5
FILE_BYTES_MAX = 8 << 20


class SpoolFailed(Exception):
    """The disk did not take a record: the callback must not be acknowledged."""


class SpoolWriter:
    """One process's writer. `append` returns when the record is on disk."""

    def __init__(self, folder: Path) -> None:
        """Write into `folder`, which is made when the first record comes."""
        self._folder = folder
        self._held = HeldPeople(folder)
        self._coming: Counter[Person] = Counter()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[tuple[bytes, SpoolRecord, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._opened_at = 0.0
        self._sealer: asyncio.TimerHandle | None = None

    async def append(self, record: SpoolRecord) -> None:
        """Write a record and wait until it would survive a power cut. Raises SpoolFailed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((encode_frame(record), record, done))
        self._coming[record.account, record.openid] += 1
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        await done

    def holds(self, person: Person) -> bool:
        """Whether messages of a person (account slug, openid) wait in the spool."""
        return person in self._coming or self._held.holds(person)

    async def close(self) -> None:
        """Finish what waits and give the file to the drain."""
        while self._flusher is not None:
            await asyncio.shield(self._flusher)
        if self._sealer is not None:
            self._sealer.cancel()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._seal)
        self._thread.shutdown(wait=False)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                content = b"".join(frame for frame, _, _ in batch)
                try:
                    path = await loop.run_in_executor(self._thread, self._write, content)
                except OSError as error:
                    log.error("wechat.spool_failed", error=repr(error))  # noqa: TRY400 - said it all
                    self._settle(batch, SpoolFailed(repr(error)))
                    continue
                for _, record, _ in batch:
                    self._held.note((record.account, record.openid), path)
                self._settle(batch, None)
        finally:
            self._flusher = None
            if self._sealer is None:
                self._sealer = loop.call_later(OPEN_SECONDS, self._seal_soon)

    def _settle(
        self,
        batch: list[tuple[bytes, SpoolRecord, asyncio.Future[None]]],
        error: SpoolFailed | None,
    ) -> None:
        self._coming -= Counter((record.account, record.openid) for _, record, _ in batch)
        for _, _, done in batch:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _seal_soon(self) -> None:
        self._sealer = None
        self._thread.submit(self._seal)

    def _write(self, content: bytes) -> Path:
        """Append and sync, in the writer's thread. A file that failed is not written again."""
        try:
            if self._file is None:
                self._open()
            assert self._file is not None
            assert self._path is not None
            self._file.write(content)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            self._seal()
            raise
        path = self._path
        is_old = time.monotonic() - self._opened_at >= OPEN_SECONDS
        if is_old or self._file.tell() >= FILE_BYTES_MAX:
            self._seal()
        return path

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"
        hidden, path = self._folder / f".{name}", self._folder / f"{name}{SUFFIX}"
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._file = os.fdopen(descriptor, "ab")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        hidden.rename(path)
        _sync_folder(self._folder)
        self._path, self._opened_at = path, time.monotonic()

    def _seal(self) -> None:
        """Close the file, which lets go of its lock."""
        if self._file is not None:
            self._file.close()
        self._file = None


def _sync_folder(folder: Path) -> None:
    """Make a new name durable: a synced file without a name is lost all the same."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
