"""The queues of one process: takes, calls and moves from pads, pages and the API, in batches.

Whatever queues up while a commit runs shares the next one; answers come after the commit.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from o2o.infra.coalescer import Coalescer, Room
from o2o.infra.database import SessionFactory, Tx
from o2o.kernel.clock import Clock
from o2o.kernel.errors import Fact
from o2o.queueing.actions.call_and_tell import call_and_tell
from o2o.queueing.actions.call_next import call_next
from o2o.queueing.actions.move_tickets import move_tickets
from o2o.queueing.actions.move_to_queue import move_to_queue
from o2o.queueing.actions.take_tickets import take_tickets
from o2o.queueing.actions.tell_parties import Voice
from o2o.queueing.commands import (
    CalledTicket,
    CallNext,
    MovedTicket,
    MoveTicket,
    MoveToQueue,
    TakenTicket,
    TakeTicket,
    Verb,
)

__all__ = [
    "CallNext",
    "CalledTicket",
    "MoveTicket",
    "MoveToQueue",
    "MovedTicket",
    "Queues",
    "TakeTicket",
    "TakenTicket",
    "Telling",
    "Verb",
]

# In batches of 32 a take costs this process a seventh of what it costs alone, in batches of 8 a
# fifth; larger ones only let both sides wait for each other, as at the till.
TAKES_AT_ONCE = 32


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to tell of calls when they are made."""

    voice: Voice
    clock: Clock
    # For how many calls' messages there is room now.
    room: Room


async def _call_now(
    telling: Telling, tx: Tx, commands: Sequence[CallNext]
) -> Sequence[CalledTicket | Fact]:
    return await call_and_tell(tx, commands, voice=telling.voice, now=telling.clock.now())


class Queues:
    """Takes, calls and moves of one process."""

    def __init__(self, *, sessions: SessionFactory, telling: Telling | None = None) -> None:
        """Start the coalescers; they run only when something is in them.

        With `telling` calls are told in their own transaction, and wait until there is room for
        that; otherwise they are told by their events.
        """
        self._takes = Coalescer(take_tickets, sessions=sessions, batch_max=TAKES_AT_ONCE)
        self._calls = (
            Coalescer(call_next, sessions=sessions)
            if telling is None
            else Coalescer(
                partial(_call_now, telling),
                sessions=sessions,
                room=telling.room,
            )
        )
        self._moves = Coalescer(move_tickets, sessions=sessions)
        self._transfers = Coalescer(move_to_queue, sessions=sessions, batch_max=1)

    async def take(self, command: TakeTicket) -> TakenTicket:
        """Take a number. Raises the facts of take_tickets."""
        return await self._takes.submit(command)

    async def call(self, command: CallNext) -> CalledTicket:
        """Call the next party to a desk. Raises the facts of call_next."""
        return await self._calls.submit(command)

    async def move(self, verb: Verb, command: MoveTicket) -> MovedTicket:
        """Do something to a ticket. Raises the facts of move_tickets."""
        return await self._moves.submit((verb, command))

    async def transfer(self, command: MoveToQueue) -> TakenTicket:
        """Let a party go on in another queue. Raises the facts of move_to_queue."""
        return await self._transfers.submit(command)

    async def drain(self) -> None:
        """Wait until everything submitted so far is answered (for a clean shutdown)."""
        for queue in (self._takes, self._calls, self._moves, self._transfers):
            await queue.drain()
