"""Sixty-four people move money and points at once, each on a connection of their own.

Everything the ledger can do, drawn at random over few cards so that they meet; some of it sent
twice at the same time, some in batches. A watcher sums the books in snapshots while it goes on. At
the end the books must be those that the answers tell of.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from sqlalchemy import text

from chaos.trade_orders import MONEY, Known, Order, draw_order
from o2o.infra.database import DatabaseAway, SessionFactory, transaction
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, StoreId, new_request_id
from o2o.ledger.actions.end_holds import expire_holds
from o2o.ledger.actions.expire_points import expire_points
from o2o.ledger.actions.merge_wallets import merge_wallets, unmerge_wallets
from o2o.ledger.queries import list_wallets
from o2o.ledger.verify import verify_ledger

CLIENTS = 64
WATCH_SECONDS = 0.05
# Every so many orders are sent twice at once, and every so many are a merger.
TWICE, MERGER, SWEEP = 0.15, 0.02, 0.02

# How many may hold a second connection; the server has a hundred.
TWICE_AT_ONCE = 12
SENDINGS_MAX = 5
LOCK_NOT_AVAILABLE = "55P03"

_SNAPSHOT = text(
    "SELECT asset, sum(e.amount)::bigint AS total,"
    " sum(e.amount) FILTER (WHERE a.balance IS NOT NULL)::bigint AS entries,"
    " (SELECT sum(balance)::bigint FROM ledger_accounts b WHERE b.asset = a.asset) AS balances"
    " FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id GROUP BY asset"
)
_DEADLOCKS = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """Who trades where; all accounts are open."""

    brand_id: BrandId
    store_id: StoreId
    members: list[MemberId]


class Trade:
    """One round of trading."""

    def __init__(self, sessions: SessionFactory, market: Market, *, seed: int) -> None:
        """Draw all orders from `seed`."""
        self._sessions = sessions
        self._market = market
        self._rng = Random(seed)
        self._known = Known()
        self._ends_at = 0.0
        self._second_line = asyncio.Semaphore(TWICE_AT_ONCE)
        self.figures: Counter[str] = Counter()
        self.violations: list[str] = []
        # What the answers say is on all cards together, held amounts included.
        self._money_fen = 0

    async def run(self, *, seconds: float, clients: int = CLIENTS) -> None:
        """Trade for so long, then look at everything."""
        await self._connect(clients + TWICE_AT_ONCE + 1)
        self._ends_at = time.monotonic() + seconds
        before = await self._deadlocks()
        watcher = asyncio.create_task(self._watch())
        await asyncio.gather(*(self._client(Random(self._rng.random())) for _ in range(clients)))
        await watcher
        self.figures["deadlocks"] = await self._deadlocks() - before
        if self.figures["deadlocks"]:
            self.violations.append(f"{self.figures['deadlocks']} deadlocks")
        await self._judge()

    async def _connect(self, connections: int) -> None:
        """Open all connections one after another, so that nobody waits for one while trading."""
        async with AsyncExitStack() as opened:
            for _ in range(connections):
                tx = await opened.enter_async_context(self._sessions())
                await tx.execute(text("SELECT 1"))

    async def _client(self, rng: Random) -> None:
        while time.monotonic() < self._ends_at:
            chance = rng.random()
            try:
                if chance < MERGER:
                    await self._merge(rng)
                elif chance < MERGER + SWEEP:
                    await self._sweep()
                else:
                    await self._trade(rng)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
                self._note_failure(error)

    async def _trade(self, rng: Random) -> None:
        order = draw_order(rng, self._market, self._known, now=datetime.now(UTC))
        if rng.random() < TWICE:
            async with self._second_line:
                answers = await self._send_at_once(order, times=2)
        else:
            answers = await self._send_at_once(order, times=1)
        for answer in answers:
            if isinstance(answer, BaseException):
                self._note_failure(answer)
        told_of = [answer for answer in answers if isinstance(answer, list)]
        for number, results in enumerate(zip(*told_of, strict=True)):
            self._compare(order, results)
            self._note(order, results, command=order.commands[number])

    async def _send_at_once(self, order: Order, *, times: int) -> list[list[Any] | BaseException]:
        sending = (self._send(order) for _ in range(times))
        return list(await asyncio.gather(*sending, return_exceptions=True))

    async def _send(self, order: Order) -> list[Any]:
        """Send until there is an answer: without one nobody knows what has happened."""
        for _ in range(SENDINGS_MAX):
            try:
                async with transaction(self._sessions) as tx:
                    return list(await order.action(tx, order.commands))
            except DatabaseAway:
                self.figures["sent again without an answer"] += 1
        raise DatabaseAway

    def _note_failure(self, error: BaseException) -> None:
        """Who waits too long for a card is sent away and nothing has happened; all else is bad."""
        if getattr(getattr(error, "orig", None), "sqlstate", None) == LOCK_NOT_AVAILABLE:
            self.figures["gave up waiting"] += 1
        elif isinstance(error, DatabaseAway):
            self.figures["never answered"] += 1
        else:
            self.violations.append(f"unexpected: {error!r}"[:300])

    def _compare(self, order: Order, results: Sequence[Any]) -> None:
        """Of those who sent one request, at most one did something; all were told the same."""
        done = [result for result in results if not isinstance(result, Fact)]
        if sum(not result.is_replay for result in done) > 1:
            self.violations.append(f"{order.name}: one request, two effects")
        if len({told(result) for result in done}) > 1:
            self.violations.append(f"{order.name}: two answers: {done!r}")
        self.figures["sent twice"] += len(results) - 1

    def _note(self, order: Order, results: Sequence[Any], *, command: Any) -> None:
        """Count one effect for one request, if there was one, however often it was answered."""
        done = [result for result in results if not isinstance(result, Fact)]
        self.figures["refused"] += len(results) - len(done)
        if not done:
            return
        self.figures["repeated"] += len(done) - 1
        self.figures[order.name] += 1
        self._known.learn(order.name, command, done[0])
        self._money_fen += MONEY.get(order.name, _nothing)(done[0])

    async def _merge(self, rng: Random) -> None:
        first, second = rng.sample(self._market.members, 2)
        action = rng.choice([merge_wallets, unmerge_wallets])
        async with transaction(self._sessions) as tx:
            try:
                await action(
                    tx,
                    request_id=new_request_id(),
                    from_member_id=first,
                    into_member_id=second,
                    now=datetime.now(UTC),
                )
                self.figures["merged or unmerged"] += 1
            except Fact:
                self.figures["refused"] += 1

    async def _sweep(self) -> None:
        # A little ahead, so that sweeps meet those who post and spend.
        now = datetime.now(UTC) + timedelta(seconds=1)
        async with transaction(self._sessions) as tx:
            self.figures["holds expired"] += await expire_holds(tx, now=now, limit=20)
        async with transaction(self._sessions) as tx:
            self.figures["lots expired"] += await expire_points(tx, now=now, limit=20)

    async def _watch(self) -> None:
        """Sum the books again and again; they add up in every snapshot."""
        while time.monotonic() < self._ends_at:
            async with self._sessions() as tx:
                for row in await tx.execute(_SNAPSHOT):
                    if row.total != 0 or row.entries != row.balances:
                        self.violations.append(f"snapshot out of sum: {row!r}")
                self.figures["snapshots"] += 1
            await asyncio.sleep(WATCH_SECONDS)

    async def _deadlocks(self) -> int:
        # Statistics of a connection are reported when it has been idle for a moment.
        await asyncio.sleep(1)
        async with self._sessions() as tx:
            return int(await tx.scalar(_DEADLOCKS) or 0)

    async def _judge(self) -> None:
        verdict = await verify_ledger(self._sessions)
        self.violations += [f"{fault.check}: {fault.subject}" for fault in verdict.faults]
        async with self._sessions() as tx:
            wallets = await list_wallets(tx, self._market.members)
        there = sum(wallet.balance_fen + wallet.held_fen for wallet in wallets.values())
        if there != self._money_fen:
            self.violations.append(f"{there} fen on the cards, {self._money_fen} by the answers")
        self.figures["transfers"] = verdict.extent.transfers


def _nothing(_: Any) -> int:
    return 0


def told(result: Any) -> tuple[Any, ...]:
    """What an answer says, whether it is the first or a repeated one."""
    return tuple(getattr(result, name) for name in result.__struct_fields__ if name != "is_replay")
