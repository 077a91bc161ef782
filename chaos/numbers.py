"""Numbers under attack: hundreds of people take one at once, while the day turns.

Several processes' worth of coalescers against a real database, each request sent twice, some of
them senseless; then every number is counted.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import msgspec
from sqlalchemy import text

from chaos.codes import open_store
from chaos.results import append_lines
from o2o.crm.statuses import QueueKind, TicketSource
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.infra.embedded_postgres import start_embedded, stop_embedded
from o2o.infra.migrations import migrate
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.queueing.actions.enter_queues import NewQueues, enter_queues
from o2o.queueing.desk_work import Queues, TakenTicket, TakeTicket
from o2o.queueing.rules.arrangement import QueueDraft

TAKES = 500
PROCESSES = 4
# One in so many wishes makes no sense: its refusal must not cost a number.
SENSELESS = 10
SHANGHAI = timedelta(hours=8)
# When the calendar's day turns in the store's zone, and when its business day does.
MIDNIGHT, TURN = timedelta(hours=24), timedelta(hours=28)
_NUMBERS = text(
    "SELECT queue_id, business_on, number FROM tickets ORDER BY queue_id, business_on, number"
)
_COUNTS = text(
    "SELECT count(*) FROM queue_days d WHERE d.last_number <> (SELECT count(*) FROM tickets t"
    " WHERE t.queue_id = d.queue_id AND t.business_on = d.business_on) OR d.waiting_ordinary"
    " <> (SELECT count(*) FROM tickets t WHERE t.queue_id = d.queue_id"
    " AND t.business_on = d.business_on AND t.status = 'waiting')"
)


class NumbersVerdict(msgspec.Struct, kw_only=True):
    """What was found in so many rounds."""

    rounds: int
    taken: int = 0
    refused: int = 0
    replayed: int = 0
    failed: int = 0
    gaps_or_doubles: int = 0
    out_of_order: int = 0
    answered_otherwise: int = 0
    miscounted: int = 0

    @property
    def is_right(self) -> bool:
        """Whether every number is there once, in order, and every repeat got the first answer."""
        return self.taken > 0 and not (
            self.failed
            or self.gaps_or_doubles
            or self.out_of_order
            or self.answered_otherwise
            or self.miscounted
        )

    def lines(self) -> list[str]:
        """Tell the figures."""
        return [
            (
                f"numbers taken: {self.taken:,} in {self.rounds:,} rounds of {TAKES} at once,"
                f" by {PROCESSES} processes, half of the rounds across the turn of the business day"
            ),
            (
                f"repeated requests answered with their number: {self.replayed:,},"
                f" with another: {self.answered_otherwise:,}"
            ),
            f"senseless wishes refused: {self.refused:,}; errors: {self.failed:,}",
            (
                f"numbers missing or given twice: {self.gaps_or_doubles:,};"
                f" out of order: {self.out_of_order:,}; days miscounted: {self.miscounted:,}"
            ),
        ]


class _Sent(msgspec.Struct):
    process: int
    command: TakeTicket
    outcome: TakenTicket | Exception | None = None


async def take_rounds(
    sessions: Sequence[SessionFactory], queue_ids: Sequence[UUID], *, rounds: int, first_on: date
) -> NumbersVerdict:
    """Let 500 people take numbers at once so many times, each round on a day of its own."""
    verdict = NumbersVerdict(rounds=rounds)
    drawn = Random(rounds)
    for number in range(rounds):
        turn = TURN if number % 2 == 0 else MIDNIGHT
        day = datetime.combine(first_on + timedelta(days=2 * number), datetime.min.time(), UTC)
        # Each process its own coalescers and connections, as if they were several programs.
        processes = [Queues(sessions=one) for one in sessions]
        sent = _wishes(drawn, queue_ids, at=day - SHANGHAI + turn)
        await asyncio.gather(*(_send(processes[one.process], one) for one in sent))
        _judge(verdict, sent, turns_at=day - SHANGHAI + TURN)
    async with transaction(sessions[0]) as tx:
        rows = (await tx.execute(_NUMBERS)).all()
        verdict.miscounted = int((await tx.execute(_COUNTS)).scalar_one())
    days: dict[tuple[UUID, date], list[int]] = {}
    for row in rows:
        days.setdefault((row.queue_id, row.business_on), []).append(row.number)
    verdict.gaps_or_doubles = sum(
        numbers != list(range(1, len(numbers) + 1)) for numbers in days.values()
    )
    return verdict


def _wishes(drawn: Random, queue_ids: Sequence[UUID], *, at: datetime) -> list[_Sent]:
    """Wishes of one second around a moment, every one sent twice, perhaps to two processes."""
    sent: list[_Sent] = []
    for number in range(TAKES):
        command = TakeTicket(
            request_id=new_id(),
            queue_id=drawn.choice(queue_ids),
            party_size=0 if drawn.randrange(SENSELESS) == 0 else drawn.randint(1, 2),
            source=TicketSource.PAD,
            now=at + timedelta(milliseconds=2 * number - TAKES),
        )
        sent += [_Sent(drawn.randrange(PROCESSES), command) for _ in range(2)]
    return sent


async def _send(queues: Queues, one: _Sent) -> None:
    try:
        one.outcome = await queues.take(one.command)
    except Exception as error:  # noqa: BLE001 - judged with the rest
        one.outcome = error


def _judge(verdict: NumbersVerdict, sent: Sequence[_Sent], *, turns_at: datetime) -> None:
    """Compare the answers of one round: pairs of requests, and the order within a process."""
    last: dict[tuple[int, UUID, bool], int] = {}
    answers: dict[UUID, TakenTicket] = {}
    for one in sent:
        if isinstance(one.outcome, TakenTicket):
            earlier = answers.setdefault(one.command.request_id, one.outcome)
            if earlier is not one.outcome:
                verdict.replayed += 1
                verdict.answered_otherwise += earlier.ticket_id != one.outcome.ticket_id
            verdict.taken += not one.outcome.is_replay
            if not one.outcome.is_replay:
                line = (one.process, one.outcome.queue_id, one.command.now >= turns_at)
                verdict.out_of_order += one.outcome.number <= last.get(line, 0)
                last[line] = one.outcome.number
        elif isinstance(one.outcome, Fact) and one.command.party_size == 0:
            verdict.refused += 1
        else:
            verdict.failed += 1


def run_numbers(rounds: int) -> int:
    """Start a database of its own, attack, tell, write the figures down. 0 when all is right."""
    with tempfile.TemporaryDirectory(prefix="o2o-numbers-") as name:
        folder = Path(name)
        url = start_embedded(folder)
        try:
            migrate(url)
            verdict = asyncio.run(_attack(url, rounds=rounds))
        finally:
            stop_embedded(folder)
    for line in verdict.lines():
        print(line)
    append_lines(verdict.lines(), command=f"python -m chaos numbers --rounds {rounds}")
    return 0 if verdict.is_right else 1


async def _attack(url: str, *, rounds: int) -> NumbersVerdict:
    engines = [create_engine(url, pool_size=2) for _ in range(PROCESSES)]
    sessions = [create_sessions(engine) for engine in engines]
    now = datetime.now(UTC)
    try:
        queue_ids = await _set_up(sessions[0], now=now)
        return await take_rounds(sessions, queue_ids, rounds=rounds, first_on=now.date())
    finally:
        for engine in engines:
            await engine.dispose()


async def _set_up(sessions: SessionFactory, *, now: datetime) -> list[UUID]:
    queues = [
        QueueDraft(
            code=letter,
            name=letter,
            name_en=letter,
            party_size_min=1,
            party_size_max=4,
            servers=4,
            minutes_per_party=30,
            rank=rank,
        )
        for rank, letter in enumerate("AB")
    ]
    async with transaction(sessions) as tx:
        _, store_id = await open_store(tx, Seal(secrets.token_hex(32)), now=now)
        store = NewQueues(
            store_id=store_id,
            kind=QueueKind.TABLE_CLASS,
            queues=queues,
            desks=[],
            settings={},
        )
        return list((await enter_queues(tx, [store], now=now)).values())
