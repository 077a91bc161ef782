"""The spool's drain: takes spooled callbacks into the inbox, in order, each once.

A reply goes out as a customer-service message, since the response it belonged to is long gone. A
message whose first attempt was committed after all is found, and its stored reply sent, once.
"""

import asyncio
import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec

from o2o.crm.statuses import AnsweredVia
from o2o.infra.database import DatabaseAway, SessionFactory, transaction
from o2o.infra.logging import get_logger
from o2o.infra.metrics import SPOOLED
from o2o.kernel.errors import Fact
from o2o.wechat.accounts import Accounts, AccountsUnavailable
from o2o.wechat.actions.receive_messages import receive_messages
from o2o.wechat.codec.envelope import Query
from o2o.wechat.codec.errors import CallbackRefused
from o2o.wechat.inbox import EPOCH, Received, receive, received_ns
from o2o.wechat.router import ChatRouter
from o2o.wechat.spool.frames import HEAD_BYTES, SUFFIX, SpoolRecord, encode_frame, read_frames
from o2o.wechat.transient import may_pass

log = get_logger(__name__)

BATCH_MAX = 128
# What is read at once; the rest has its turn next.
BYTES_MAX = 32 << 20
PAUSE_SECONDS = 0.25
# What could not even be kept is set aside for a person to look at, never thrown away.
REJECTED_SUFFIX = ".rejected"
TORN_SUFFIX = ".torn"


class SpoolDrain:
    """Runs in the worker of each machine that has a spool; one at a time per folder."""

    def __init__(
        self,
        folder: Path,
        *,
        sessions: SessionFactory,
        accounts: Accounts,
        router: ChatRouter,
    ) -> None:
        """Drain `folder` into the inbox."""
        self._folder = folder
        self._sessions = sessions
        self._accounts = accounts
        self._router = router
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Drain until stopped; an absent database is waited for."""
        while not self._stopping.is_set():
            try:
                await self.drain()
            except Exception as error:  # noqa: BLE001 - the drain outlives whatever one round met
                log.warning("wechat.drain_failed", error=repr(error))
            try:
                await asyncio.wait_for(self._stopping.wait(), PAUSE_SECONDS)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Take in what can be taken in now; return the number of messages that went."""
        if not self._folder.exists():
            return 0
        with ExitStack() as locks:
            if not locks.enter_context(_alone(self._folder)):
                return 0
            files = self._take_files(locks)
            if not files:
                return 0
            records: list[SpoolRecord] = []
            for file in files:
                records += await asyncio.to_thread(_read, file)
            SPOOLED.set(len(records))
            records.sort(key=lambda record: record.received_ns)
            for start in range(0, len(records), BATCH_MAX):
                await self._take_in(records[start : start + BATCH_MAX])
            # Only now, when everything in them is committed or set aside.
            for file in files:
                file.unlink(missing_ok=True)
            SPOOLED.set(0)
            return len(records)

    def _take_files(self, locks: ExitStack) -> list[Path]:
        files: list[Path] = []
        size = 0
        for file in sorted(self._folder.glob(f"*{SUFFIX}")):
            if size < BYTES_MAX and locks.enter_context(_taken(file)):
                files.append(file)
                size += file.stat().st_size
        return files

    async def _take_in(self, records: Sequence[SpoolRecord]) -> None:
        received: list[Received] = []
        for record in records:
            one = await self._received(record)
            if one is not None:
                received.append(one)
        try:
            await self._commit(received)
        except Exception as error:
            if may_pass(error):
                raise
            # One bad message must not hold up the others.
            log.warning("wechat.drain_batch_failed", messages=len(received), error=repr(error))
            for one in received:
                await self._take_in_one(one)

    async def _take_in_one(self, one: Received) -> None:
        try:
            await self._commit([one])
        except Exception as error:
            if may_pass(error):
                raise
            log.exception("wechat.answer_failed", account=one.account.slug, spooled=True)
        else:
            return
        try:
            await self._commit([msgspec.structs.replace(one, is_answered=False)])
        except Exception as error:
            if may_pass(error):
                raise
            self._set_aside(_record_of(one), repr(error))

    async def _commit(self, received: Sequence[Received]) -> None:
        if not received:
            return
        async with transaction(self._sessions) as tx:
            results = await receive_messages(tx, received, router=self._router)
        for one, result in zip(received, results, strict=True):
            if isinstance(result, Fact):
                log.warning("wechat.spooled_refused", account=one.account.slug, code=result.code)

    async def _received(self, record: SpoolRecord) -> Received | None:
        try:
            account = await self._accounts.find(record.account)
        except AccountsUnavailable as error:
            raise DatabaseAway from error
        if account is None:
            self._set_aside(record, "the account is gone")
            return None
        query = Query(timestamp=record.timestamp, nonce=record.nonce)
        received_at = EPOCH + timedelta(microseconds=record.received_ns // 1000)
        try:
            one = receive(account, record.fields, query=query, received_at=received_at)
        except (CallbackRefused, ValueError) as error:
            self._set_aside(record, repr(error))
            return None
        return msgspec.structs.replace(one, via=AnsweredVia.CUSTOM)

    def _set_aside(self, record: SpoolRecord, reason: str) -> None:
        log.error("wechat.spooled_set_aside", account=record.account, reason=reason)
        file = self._folder / f"{record.received_ns:020d}{REJECTED_SUFFIX}"
        with file.open("ab") as opened:
            opened.write(encode_frame(record))
            opened.flush()
            os.fsync(opened.fileno())


def _record_of(one: Received) -> SpoolRecord:
    return SpoolRecord(
        account=one.account.slug,
        openid=one.message.from_user,
        fields=one.message.raw,
        timestamp=one.signed_at,
        nonce=one.nonce,
        received_ns=received_ns(one.received_at),
    )


@contextmanager
def _alone(folder: Path) -> Generator[bool, None, None]:
    """Be the only drain of a folder; two would mix up the order of one person's messages."""
    with (folder / ".drain").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _taken(file: Path) -> Generator[bool, None, None]:
    """Hold a file that its writer closed, or left when it died; False while it is written."""
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        yield False
        return
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _read(file: Path) -> list[SpoolRecord]:
    content = file.read_bytes()
    records, end = [], 0
    for record, behind in read_frames(content):
        records.append(record)
        end = behind
    if len(content) - end >= HEAD_BYTES:
        # A crash tears at most the last frame, which nobody was told about; more is damage.
        log.warning("wechat.spool_torn", file=file.name, unread_bytes=len(content) - end)
        file.with_suffix(TORN_SUFFIX).write_bytes(content[end:])
    return records
