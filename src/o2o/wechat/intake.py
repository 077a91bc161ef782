"""The intake: a received message goes into the inbox in time, or onto disk, but never nowhere.

All messages go through one lane, so a person's keep their order; while a batch is committed the
next one fills. A lane that timed out or lost the database is left alone for a second, then one
message tries it again; the others go to the spool meanwhile and are answered at once.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy.exc import TimeoutError as PoolTimeout

from o2o.infra.coalescer import QueueFull
from o2o.infra.database import DatabaseAway, SessionFactory, Tx
from o2o.infra.logging import get_logger
from o2o.infra.own_loop import OwnLoop
from o2o.kernel.errors import Fact
from o2o.wechat.actions.receive_messages import receive_messages, receive_new_messages
from o2o.wechat.codec.replies import NO_REPLY, AnyReply
from o2o.wechat.errors import MessageReplayed
from o2o.wechat.inbox import Kept, Received, received_ns
from o2o.wechat.lane import Lane
from o2o.wechat.router import ChatRouter
from o2o.wechat.spool.frames import SpoolRecord
from o2o.wechat.spool.writer import SpoolWriter
from o2o.wechat.transient import may_pass

log = get_logger(__name__)

BATCH_MAX = 128
QUEUE_MAX = 4096
AWAY_SECONDS = 1.0
# The message that tries an absent database again waits no longer than this.
PROBE_SECONDS = 0.8


class Fitness:
    """Whether a lane is fit for use, or is to be left alone for a while."""

    def __init__(self) -> None:
        """Start fit."""
        self._is_away = False
        self._next_try_at = 0.0

    def patience(self, now: float, deadline: float) -> float | None:
        """Return until when a message may wait here; None when it must not try."""
        if not self._is_away:
            return deadline
        if now < self._next_try_at:
            return None
        self._next_try_at = now + AWAY_SECONDS
        return min(deadline, now + PROBE_SECONDS)

    def failed(self, now: float) -> None:
        """Leave this lane alone for a while."""
        self._is_away = True
        self._next_try_at = now + AWAY_SECONDS

    def succeeded(self) -> None:
        """Use it as usual."""
        self._is_away = False


class Intake:
    """Takes messages in, one per process."""

    def __init__(self, *, sessions: SessionFactory, router: ChatRouter, spool: SpoolWriter) -> None:
        """Answer by `router`; keep on disk what cannot be committed in time."""
        self._router = router
        self._spool = spool
        self._lane = Lane(
            self._receive_new,
            careful=self._receive,
            sessions=sessions,
            batch_max=BATCH_MAX,
            queue_max=QUEUE_MAX,
        )
        self._fitness = Fitness()
        self._loop = OwnLoop()

    async def _receive_new(self, tx: Tx, received: Sequence[Received]) -> Sequence[Kept | Fact]:
        return await receive_new_messages(tx, received, router=self._router)

    async def _receive(self, tx: Tx, received: Sequence[Received]) -> Sequence[Kept | Fact]:
        return await receive_messages(tx, received, router=self._router)

    async def take(self, received: Received, *, deadline: float) -> tuple[AnyReply, bool]:
        """Return the reply, and whether the message was spooled (and will be answered later).

        `deadline` is a moment of the event loop's clock. Raises MessageReplayed, SpoolFailed.
        """
        openid = received.message.from_user
        if self._spool.holds((received.account.slug, openid)):
            return await self._keep_on_disk(received)
        fitness = self._fitness
        patience = fitness.patience(self._loop().time(), deadline)
        if patience is None:
            return await self._keep_on_disk(received)
        try:
            kept = await self._committed(received, patience)
        except MessageReplayed:
            raise
        except Exception as error:
            if may_pass(error):
                fitness.failed(self._loop().time())
                log.warning("wechat.inbox_late", account=received.account.slug, error=repr(error))
            else:
                # The database will not have this message at all; the drain sets it aside.
                log.exception("wechat.message_not_kept", account=received.account.slug)
            return await self._keep_on_disk(received)
        fitness.succeeded()
        return kept.reply, False

    async def _committed(self, received: Received, patience: float) -> Kept:
        """Commit with its answer; where answering breaks, commit and say sorry."""
        try:
            return await self._lane.enqueue(received, deadline=patience)
        except (MessageReplayed, TimeoutError, DatabaseAway, PoolTimeout, QueueFull):
            raise
        except Exception as error:
            if may_pass(error):
                log.warning("wechat.inbox_again", account=received.account.slug, error=repr(error))
                return await self._lane.enqueue(received, deadline=patience)
            log.exception("wechat.answer_failed", account=received.account.slug)
        sorry = msgspec.structs.replace(received, is_answered=False)
        return await self._lane.enqueue(sorry, deadline=patience)

    async def _keep_on_disk(self, received: Received) -> tuple[AnyReply, bool]:
        await self._spool.append(
            SpoolRecord(
                account=received.account.slug,
                openid=received.message.from_user,
                fields=received.message.raw,
                timestamp=received.signed_at,
                nonce=received.nonce,
                received_ns=received_ns(received.received_at),
            )
        )
        return NO_REPLY, True

    async def close(self) -> None:
        """Wait for the batches under way."""
        await self._lane.close()
