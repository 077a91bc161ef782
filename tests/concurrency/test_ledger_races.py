"""Races on real connections: never oversold, one effect per request, no deadlock, always in sum."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from o2o.infra.coalescer import Coalescer
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_request_id
from o2o.ledger.actions.debit_stored_value import (
    DebitStoredValue,
    Transferred,
    debit_stored_value,
)
from o2o.ledger.actions.top_up_stored_value import top_up_stored_value
from o2o.ledger.errors import InsufficientBalance
from o2o.ledger.queries import get_wallet
from o2o.ledger.verify import verify_ledger
from tests.factories.ledger import debit, given_committed_books, top_up

Outcome = Transferred | BaseException
CONNECTIONS = 16


async def settled(calls: Sequence[Coroutine[Any, Any, Transferred]]) -> list[Outcome]:
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def alone(sessions: SessionFactory, command: DebitStoredValue) -> Transferred:
    """One debit in a transaction and on a connection of its own."""
    async with transaction(sessions) as tx:
        [result] = await debit_stored_value(tx, [command])
    if isinstance(result, Fact):
        raise result
    return result


async def on_separate_connections(
    sessions: SessionFactory, commands: Sequence[DebitStoredValue]
) -> list[Outcome]:
    """As many connections as there are, each doing one command after another."""
    waiting = list(commands)
    outcomes: list[Outcome] = []

    async def work() -> None:
        while waiting:
            outcomes.extend(await settled([alone(sessions, waiting.pop())]))

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return outcomes


def kinds(outcomes: Sequence[object]) -> dict[type, int]:
    return dict(Counter(type(outcome) for outcome in outcomes))


async def count(sessions: SessionFactory, kind: str) -> int:
    async with sessions() as tx:
        found = await tx.scalar(
            text("SELECT count(*) FROM ledger_transfers WHERE kind = :kind"), {"kind": kind}
        )
    return int(found or 0)


@pytest.mark.parametrize("processes", [1, 2])
async def test_200_debits_of_10_yuan_at_once_on_100_yuan_spend_exactly_100(
    sessions: SessionFactory, processes: int
) -> None:
    rounds = 10
    for _ in range(rounds):
        books = await given_committed_books(sessions, principal_fen=8_000, bonus_fen=2_000)
        queues = [Coalescer(debit_stored_value, sessions=sessions) for _ in range(processes)]

        outcomes = await settled(
            [queues[number % processes].submit(debit(books)) for number in range(200)]
        )

        assert kinds(outcomes) == {Transferred: 10, InsufficientBalance: 190}
        assert sorted(o.balance_fen for o in outcomes if isinstance(o, Transferred)) == list(
            range(0, 10_000, 1_000)
        )
        async with sessions() as tx:
            assert (await get_wallet(tx, books.member_id)).balance_fen == 0
    assert await count(sessions, "debit") == 10 * rounds
    assert (await verify_ledger(sessions)).is_sound


async def test_200_debits_on_16_connections_spend_exactly_what_is_there(
    sessions: SessionFactory,
) -> None:
    for _ in range(3):
        books = await given_committed_books(sessions, principal_fen=8_000, bonus_fen=2_000)

        outcomes = await on_separate_connections(sessions, [debit(books) for _ in range(200)])

        assert kinds(outcomes) == {Transferred: 10, InsufficientBalance: 190}
    assert await count(sessions, "debit") == 30
    assert (await verify_ledger(sessions)).is_sound


async def test_a_request_sent_many_times_at_once_has_one_effect(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions, principal_fen=100_000)
    commands = [debit(books, 700 + number) for number in range(12)]
    repeated = [command for command in commands for _ in range(5)]
    Random(7).shuffle(repeated)

    outcomes = await on_separate_connections(sessions, repeated)

    done = [outcome for outcome in outcomes if isinstance(outcome, Transferred)]
    assert len(done) == 60
    assert sum(not outcome.is_replay for outcome in done) == 12
    assert len({outcome.transfer_id for outcome in done}) == 12
    # Whoever asked for one amount was told one balance, the first time and every other time.
    assert len({(outcome.transfer_id, outcome.balance_fen) for outcome in done}) == 12
    assert await count(sessions, "debit") == 12
    async with sessions() as tx:
        wallet = await get_wallet(tx, books.member_id)
    assert wallet.balance_fen == 100_000 - sum(command.amount_fen for command in commands)


async def test_one_request_id_at_once_for_different_amounts_moves_one_of_them(
    sessions: SessionFactory,
) -> None:
    books = await given_committed_books(sessions, principal_fen=100_000)
    request_id = new_request_id()

    outcomes = await on_separate_connections(
        sessions, [debit(books, 100 + n, request_id=request_id) for n in range(32)]
    )

    assert kinds(outcomes) == {Transferred: 1, RequestBodyDiffers: 31}
    assert await count(sessions, "debit") == 1


@pytest.mark.parametrize("is_batched", [True, False])
async def test_one_request_id_at_once_on_two_cards_moves_one_of_them(
    sessions: SessionFactory, is_batched: bool
) -> None:
    # The lock on a card does not order these two; the unique key does.
    books = await given_committed_books(sessions, principal_fen=100_000)
    async with transaction(sessions) as tx:
        await top_up_stored_value(
            tx, [top_up(books, member_id=books.other_member_id, principal_fen=100_000)]
        )
    request_ids = [new_request_id() for _ in range(40)]
    pairs = [
        [debit(books, request_id=request_id) for request_id in request_ids],
        [
            debit(books, request_id=request_id, member_id=books.other_member_id)
            for request_id in reversed(request_ids)
        ],
    ]

    if is_batched:
        queues = [Coalescer(debit_stored_value, sessions=sessions, batch_max=8) for _ in pairs]
        outcomes = await settled(
            [
                queue.submit(command)
                for queue, commands in zip(queues, pairs, strict=True)
                for command in commands
            ]
        )
    else:
        outcomes = await on_separate_connections(
            sessions, [command for pair in zip(*pairs, strict=True) for command in pair]
        )

    assert kinds(outcomes) == {Transferred: 40, RequestBodyDiffers: 40}
    assert await count(sessions, "debit") == 40
    assert (await verify_ledger(sessions)).is_sound


async def test_batches_over_the_same_cards_in_opposite_orders_do_not_deadlock(
    sessions: SessionFactory,
) -> None:
    books = await given_committed_books(sessions, principal_fen=100_000)
    async with transaction(sessions) as tx:
        await top_up_stored_value(
            tx, [top_up(books, member_id=books.other_member_id, principal_fen=100_000)]
        )
    members = [books.member_id, books.other_member_id]

    async def batches(number: int) -> None:
        order = members if number % 2 else members[::-1]
        for _ in range(10):
            commands = [debit(books, 10, member_id=member_id) for member_id in order]
            async with transaction(sessions) as tx:
                results = await debit_stored_value(tx, commands)
            assert kinds(results) == {Transferred: 2}

    await asyncio.gather(*(batches(number) for number in range(8)))

    async with sessions() as tx:
        for member_id in members:
            assert (await get_wallet(tx, member_id)).balance_fen == 100_000 - 80 * 10


async def test_every_moment_of_a_busy_day_is_in_sum(sessions: SessionFactory) -> None:
    books = await given_committed_books(sessions, principal_fen=5_000, bonus_fen=500)
    debits = Coalescer(debit_stored_value, sessions=sessions, batch_max=4)
    top_ups = Coalescer(top_up_stored_value, sessions=sessions, batch_max=4)
    rng = Random(11)
    is_over = asyncio.Event()

    async def watch() -> int:
        looked = 0
        while not is_over.is_set():
            verdict = await verify_ledger(sessions)
            assert verdict.faults == []
            looked += 1
        return looked

    async def trade() -> None:
        calls: list[Coroutine[Any, Any, Transferred]] = []
        for _ in range(150):
            if rng.random() < 0.3:
                calls.append(top_ups.submit(top_up(books, principal_fen=rng.randrange(1, 999))))
            else:
                calls.append(debits.submit(debit(books, rng.randrange(1, 999))))
        outcomes = await settled(calls)
        assert set(kinds(outcomes)) <= {Transferred, InsufficientBalance}
        is_over.set()

    looked, _ = await asyncio.gather(watch(), trade())

    assert looked >= 1
    assert (await verify_ledger(sessions)).is_sound
