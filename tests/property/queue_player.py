"""Play the product's queues and the slow model side by side: one method per command."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import TicketPriority, TicketSource, TicketStatus
from o2o.infra.database import Tx, create_engine, create_sessions, transaction
from o2o.infra.seal import Seal
from o2o.kernel.business_day import business_day
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.call_next import CallNext, call_next
from o2o.queueing.actions.move_tickets import MoveTicket, Verb, move_tickets
from o2o.queueing.actions.move_to_queue import MoveToQueue, move_to_queue
from o2o.queueing.actions.take_tickets import TakeTicket, take_tickets
from o2o.queueing.queries.tickets import list_positions
from tests.factories.members import given_member
from tests.factories.queues import ALWAYS, given_hall, given_queue
from tests.fakes.clock import NOON
from tests.property.queue_model import BOOKED, Model, One

PERSONS = 4

_TICKETS = text("SELECT id, number, status, priority FROM tickets WHERE store_id = :store_id")
_LANE = text(
    "SELECT id FROM tickets WHERE queue_id = :queue_id AND status = 'waiting'"
    " AND priority = :priority ORDER BY place"
)
_DAYS = text(
    "SELECT d.queue_id, d.last_number, d.waiting_ordinary, d.waiting_member, d.waiting_booked"
    " FROM queue_days d JOIN queues q ON q.id = d.queue_id WHERE q.store_id = :store_id"
)


class Player:
    """A real store with three queues for parties of two, beside the model."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self.engine = create_engine(url, pool_size=1)
        self.sessions = create_sessions(self.engine)
        self.model = Model()
        self.ids: dict[One, UUID] = {}
        self.earlier: list[tuple[Any, Any, Any]] = []
        hall = self.runner.run(
            given_hall(
                self.sessions,
                seal=Seal("a key for tests that is long enough"),
                has_member_priority=True,
            )
        )
        self.store_id = hall.store.id
        self.queues = [hall.a]
        for letter in "XY":
            self.queues.append(self.call_in(partial(given_queue, store=hall.store, code=letter)))
        add_member = partial(given_member, brand=hall.brand)
        self.members = [self.call_in(add_member) for _ in range(PERSONS)]

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()

    def call_in(self, action: Callable[[Tx], Coroutine[Any, Any, Any]]) -> Any:
        async def run() -> Any:
            async with transaction(self.sessions) as tx:
                return await action(tx)

        return self.runner.run(run())

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.model.step)

    def tick(self) -> None:
        self.model.step += 1

    def _do(self, action: Any, commands: Sequence[Any]) -> list[Any]:
        outcomes: list[Any] = self.call_in(lambda tx: action(tx, commands))
        for command, outcome in zip(commands, outcomes, strict=True):
            if not isinstance(outcome, Fact):
                self.earlier.append((action, command, outcome))
        return outcomes

    def take(self, wishes: Sequence[tuple[int, bool, int | None]]) -> list[Any]:
        """Take numbers: queue, whether booked, and which person."""
        return self._do(
            take_tickets,
            [
                TakeTicket(
                    request_id=new_id(),
                    queue_id=self.queues[queue],
                    party_size=2,
                    source=TicketSource.PAD,
                    member_id=None if person is None else self.members[person],
                    booking_id=new_id() if is_booked else None,
                    priority=BOOKED if is_booked else TicketPriority.ORDINARY,
                    now=self.now,
                )
                for queue, is_booked, person in wishes
            ],
        )

    def keep(self, one: One, outcome: Any) -> None:
        """Compare a new number and remember which ticket it is."""
        assert not isinstance(outcome, Fact), outcome
        assert outcome.number == one.number
        assert not outcome.is_replay
        self.ids[one] = outcome.ticket_id

    def call(self, desks: Sequence[Sequence[int]]) -> list[Any]:
        """Let several desks call at once."""
        return self._do(
            call_next,
            [
                CallNext(
                    request_id=new_id(),
                    queue_ids=tuple(self.queues[queue] for queue in served),
                    desk=str(number),
                    now=self.now,
                )
                for number, served in enumerate(desks, start=1)
            ],
        )

    def move(self, verb: Verb, one: One) -> Any:
        """Do something to a ticket."""
        command = MoveTicket(request_id=new_id(), ticket_id=self.ids[one], desk="1", now=self.now)
        [outcome] = self._do(move_tickets, [(verb, command)])
        return outcome

    def transfer(self, one: One, queue: int) -> Any:
        """Let a party go on in another queue."""
        command = MoveToQueue(
            request_id=new_id(),
            ticket_id=self.ids[one],
            queue_id=self.queues[queue],
            now=self.now,
        )
        [outcome] = self._do(move_to_queue, [command])
        return outcome

    def repeat(self, pick: int) -> None:
        """Send an earlier command again: nothing happens, and it is the first answer's ticket."""
        action, command, first = self.earlier[pick % len(self.earlier)]
        [again] = self.call_in(lambda tx: action(tx, [command]))
        assert not isinstance(again, Fact), again
        assert again.is_replay
        assert again.ticket_id == first.ticket_id

    @staticmethod
    def is_done(outcome: Any) -> bool:
        return not isinstance(outcome, Fact)

    def come_back(self, one: One) -> None:
        """Put a ticket into the model's line where the product did; the others stay in order."""
        row = next(row for row in self._tickets() if row.id == self.ids[one])
        one.priority = TicketPriority(row.priority)
        lane = self.model.lines[one.queue].lanes[one.priority]
        by_id = {self.ids[other]: other for other in [*lane, one]}
        asked: dict[str, Any] = {"queue_id": self.queues[one.queue], "priority": one.priority.value}
        rows = self.call_in(partial(_rows, statement=_LANE, **asked))
        found = [by_id[row.id] for row in rows]
        assert [other for other in found if other is not one] == lane
        lane[:] = found

    def _tickets(self) -> Sequence[Any]:
        rows: Sequence[Any] = self.call_in(
            partial(_rows, statement=_TICKETS, store_id=self.store_id)
        )
        return rows

    def check(self) -> None:
        """Compare every ticket, every count and the whole order of calls."""
        self.call_in(self._check)

    async def _check(self, tx: Tx) -> None:
        rows = await tx.execute(_TICKETS, {"store_id": self.store_id})
        assert {row.id: (row.number, row.status, row.priority) for row in rows} == {
            self.ids[one]: (one.number, one.status.value, one.priority.value)
            for one in self.model.tickets
        }
        days = {
            row.queue_id: row[1:] for row in await tx.execute(_DAYS, {"store_id": self.store_id})
        }
        today = business_day(self.now, hours=ALWAYS, timezone="Asia/Shanghai")
        ahead = await list_positions(tx, [(queue_id, today) for queue_id in self.queues])
        for line, queue_id in zip(self.model.lines, self.queues, strict=True):
            counts = tuple(len(line.lanes[priority]) for priority in TicketPriority)
            assert tuple(days.get(queue_id, (0, 0, 0, 0))) == (line.numbers, *counts)
            order = line.order()
            assert [ahead.pop(self.ids[one]) for one in order] == list(range(len(order)))
            assert all(one.status is TicketStatus.WAITING for one in order)
        assert ahead == {}


async def _rows(tx: Tx, statement: Any, **values: Any) -> Sequence[Any]:
    return (await tx.execute(statement, values)).all()
