"""The book of deliveries as the messenger reads and writes it: many messages in one transaction.

Each message needs a look before it is sent and a note after; in an evening's swarm that would be
two commits per message.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from o2o.infra.coalescer import Coalescer
from o2o.infra.database import SessionFactory, Tx
from o2o.infra.subscriptions import Later
from o2o.kernel.clock import Clock
from o2o.wechat.actions.record_deliveries import record_acceptances, record_withdrawals
from o2o.wechat.queries.deliveries import QueuedDelivery, find_queued

BATCH_MAX = 64

# Says of each of these whether what a message is about still is so, in their order.
Check = Callable[[Tx, Sequence[dict[str, Any]], datetime], Awaitable[Sequence[bool]]]


class _Opened(msgspec.Struct, frozen=True):
    """What a look found: a delivery to send, nothing to do, or a check that nobody here knows."""

    delivery: QueuedDelivery | None = None
    unknown_check: str | None = None


class DeliveryBook:
    """One per messenger."""

    def __init__(self, *, sessions: SessionFactory, clock: Clock) -> None:
        """Read and write in transactions of its own."""
        self._clock = clock
        self._checks: dict[str, Check] = {}
        self._looks = Coalescer(self._look, sessions=sessions, batch_max=BATCH_MAX)
        self._notes = Coalescer(self._note, sessions=sessions, batch_max=BATCH_MAX)

    def ask_before(self, name: str, check: Check) -> None:
        """See Messenger.ask_before."""
        self._checks[name] = check

    async def open(self, delivery_id: UUID) -> QueuedDelivery | None:
        """Return what is to be sent; None when its fate is decided, or is by this.

        Raises Later for a check that was written by a newer release than this process runs.
        """
        opened = await self._looks.submit(delivery_id)
        if opened.unknown_check is not None:
            raise Later(f"nobody here knows about {opened.unknown_check}", after_seconds=5)
        return opened.delivery

    async def accept(self, delivery: QueuedDelivery, *, msgid: str | None) -> None:
        """Note that WeChat took the message."""
        await self._notes.submit((delivery, msgid))

    async def _look(self, tx: Tx, delivery_ids: Sequence[UUID]) -> Sequence[_Opened]:
        now = self._clock.now()
        queued = await find_queued(tx, delivery_ids)
        by_check: dict[str, list[QueuedDelivery]] = defaultdict(list)
        for delivery in queued.values():
            if delivery.about is not None:
                by_check[str(delivery.about["check"])].append(delivery)
        over: list[UUID] = []
        unknown: dict[UUID, str] = {}
        for name, asked in by_check.items():
            check = self._checks.get(name)
            if check is None:
                unknown |= {delivery.id: name for delivery in asked}
                continue
            is_so = await check(tx, [delivery.about or {} for delivery in asked], now)
            over += [d.id for d, is_true in zip(asked, is_so, strict=True) if not is_true]
        if over:
            await record_withdrawals(tx, over, now=now)
            for delivery_id in over:
                del queued[delivery_id]
        return [
            _Opened(unknown_check=unknown[one]) if one in unknown else _Opened(queued.get(one))
            for one in delivery_ids
        ]

    async def _note(
        self, tx: Tx, accepted: Sequence[tuple[QueuedDelivery, str | None]]
    ) -> Sequence[None]:
        await record_acceptances(tx, accepted, now=self._clock.now())
        return [None for _ in accepted]
