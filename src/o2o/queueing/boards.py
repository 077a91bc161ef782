"""Boards: what the open pages of a queue show, read once per change and process for all of them.

Two thousand phones that watch two hundred queues cost as many reads as queues change, not as phones
look: a board reads its line, and each phone's seat is told what is different for its own ticket.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import msgspec

from o2o.infra.bell import Bell
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.live import Hub, Watch
from o2o.infra.logging import get_logger
from o2o.kernel.clock import Clock
from o2o.queueing.live import queue_topic
from o2o.queueing.queries.lines import LineKey, LineState, list_lines
from o2o.queueing.queries.own_tickets import Holder
from o2o.queueing.queries.standings import TicketStanding, find_own_line, list_standings
from o2o.queueing.rules.notices import told_wait

log = get_logger(__name__)

# A change that nobody said, because the listener was away, is seen after so long; and so does an
# estimate follow the clock.
REREAD_SECONDS = 15.0
AGAIN_SECONDS = 1.0
# Boards that read at the same time: the other requests of the process need connections too.
READS_AT_ONCE = 3


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a phone is told of its ticket."""

    status: str
    # Changes where the page has to be read anew: another status, another call.
    mark: str
    ahead: int | None = None
    # From … to … minutes or hours, as they are said.
    unit: str | None = None
    low: str | None = None
    high: str | None = None


class Seat:
    """One open page: what it is to show, and a bell for when that changes."""

    __slots__ = ("bell", "seen", "ticket_id", "version")

    def __init__(self, ticket_id: UUID) -> None:
        """Know nothing yet."""
        self.ticket_id = ticket_id
        self.seen: Seen | None = None
        self.version = 0
        self.bell = Bell()

    def tell(self, seen: Seen, version: int) -> None:
        """Take what is to be shown; ring if it is different."""
        if seen != self.seen:
            self.seen, self.version = seen, version
            self.bell.ring()


class Boards:
    """All boards of a process; one is kept as long as somebody looks at it."""

    def __init__(self, *, hub: Hub, sessions: SessionFactory, clock: Clock) -> None:
        """Hear of changes from `hub`."""
        self._hub = hub
        self._sessions = sessions
        self._clock = clock
        self._seats: dict[LineKey, set[Seat]] = {}
        self._readers: dict[LineKey, asyncio.Task[None]] = {}
        self._woken: dict[LineKey, Bell] = {}
        self._gate = asyncio.Semaphore(READS_AT_ONCE)
        # How often lines were read, for the figures of benches and tests.
        self.reads = 0

    async def find_line(self, ticket_id: UUID, holder: Holder) -> LineKey | None:
        """Return the line of a ticket that is this person's, else None."""
        async with transaction(self._sessions) as tx:
            return await find_own_line(
                tx,
                ticket_id,
                fan_id=holder.fan_id,
                member_id=holder.member_id,
                brand_id=holder.brand_id,
            )

    @asynccontextmanager
    async def watch(self, key: LineKey, ticket_id: UUID) -> AsyncGenerator[Seat, None]:
        """Take a seat at the board of a line; who leaves last takes the board away."""
        seat = Seat(ticket_id)
        seats = self._seats.setdefault(key, set())
        seats.add(seat)
        if key in self._readers:
            # A reader may be past this seat; it looks again at once.
            self._woken[key].ring()
        else:
            heard = self._hub.watch(queue_topic(key[0]))
            self._woken[key] = heard.bell
            self._readers[key] = asyncio.create_task(self._follow(key, heard))
        try:
            yield seat
        finally:
            seats.discard(seat)
            if not seats:
                del self._seats[key], self._woken[key]
                self._readers.pop(key).cancel()

    async def _follow(self, key: LineKey, heard: Watch) -> None:
        with heard:
            while not self._hub.is_stopping:
                # Whatever was said until here is in what is read next.
                heard.take()
                is_read = await self._read(key)
                await heard.bell.wait(seconds=REREAD_SECONDS if is_read else AGAIN_SECONDS)

    async def _read(self, key: LineKey) -> bool:
        """Read the line and tell every seat; False when the database is away."""
        seats = tuple(self._seats.get(key, ()))
        try:
            async with self._gate, transaction(self._sessions) as tx:
                self.reads += 1
                now = self._clock.now()
                line = (await list_lines(tx, [key], now=now)).get(key)
                places = line.places if line is not None else {}
                others = {seat.ticket_id for seat in seats} - places.keys()
                standings = await list_standings(tx, others) if others else {}
        except Exception as error:  # noqa: BLE001 - the pages keep what they show until it is back
            log.warning("queue.board_not_read", error=repr(error))
            return False
        for seat in seats:
            seen = _seen(seat.ticket_id, line=line, places=places, standings=standings)
            if seen is not None:
                seat.tell(seen, line.version if line else 0)
        return True

    def ring_all(self) -> None:
        """Let every open page look whether it may stay."""
        for seats in self._seats.values():
            for seat in seats:
                seat.bell.ring()

    async def close(self) -> None:
        """Let every reader go."""
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        for reader in readers:
            with suppress(asyncio.CancelledError):
                await reader


def _seen(
    ticket_id: UUID,
    *,
    line: LineState | None,
    places: dict[UUID, int],
    standings: dict[UUID, TicketStanding],
) -> Seen | None:
    ahead = places.get(ticket_id)
    if ahead is None or line is None:
        standing = standings.get(ticket_id)
        return None if standing is None else Seen(standing.status.value, standing.mark)
    wait = told_wait(line.model.estimate(ahead))
    return Seen("waiting", "waiting", ahead, wait.unit, wait.low, wait.high)


def known_keys(boards: Boards) -> Iterable[LineKey]:
    """Return the lines that somebody looks at."""
    return boards._seats.keys()  # noqa: SLF001 - for figures and tests
