"""Statements straight to the driver: inside the transaction there is, or each of its own."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from o2o.infra.database import (
    SessionFactory,
    Tx,
    transaction,
    transaction_on_demand,
    violated_constraint,
)
from o2o.infra.direct import (
    direct_of,
    fetch_direct,
    fetch_rows,
    lead_past,
    reading_direct,
    write_rows,
)
from o2o.infra.outbox import publish
from o2o.kernel.events import Event
from o2o.kernel.ids import new_id

INSERT = text(
    "INSERT INTO handled_messages (subscriber, message_id, handled_at)"
    " VALUES (:name, :number, now()) RETURNING message_id, subscriber || ':' || :name AS twice"
)
COUNT = text("SELECT count(*) AS n FROM handled_messages WHERE subscriber = :name")

WAITING = "SELECT topic FROM outbox_messages"


class Rung(Event, frozen=True, kw_only=True):
    name = "test.rung"


async def counted(tx: Tx) -> int:
    [row] = await fetch_rows(tx, COUNT, {"name": "test"})
    count: int = row.n
    return count


async def test_names_become_the_drivers_numbers_and_columns_are_read_by_name(
    sessions: SessionFactory,
) -> None:
    async with transaction(sessions) as tx:
        [row] = await fetch_rows(tx, INSERT, {"number": 7, "name": "test", "unused": object()})
    assert (row.message_id, row.twice) == (7, "test:test")
    assert dict(row) == {"message_id": 7, "twice": "test:test"}
    with pytest.raises(AttributeError, match="subscriber"):
        row.subscriber  # noqa: B018 - asked for its refusal


async def test_what_is_written_goes_and_stays_with_its_transaction(
    sessions: SessionFactory,
) -> None:
    async def write_and_fail() -> None:
        async with transaction(sessions) as tx:
            await fetch_rows(tx, INSERT, {"number": 1, "name": "test"})
            # One transaction, whichever way a statement takes.
            assert await tx.scalar(COUNT, {"name": "test"}) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write_and_fail()
    async with transaction(sessions) as tx:
        assert await counted(tx) == 0
        await tx.execute(INSERT, {"number": 2, "name": "test"})
        assert await counted(tx) == 1
    async with reading_direct(sessions) as tx:
        assert await counted(tx) == 1


async def test_a_write_without_a_transaction_is_kept_at_once(sessions: SessionFactory) -> None:
    async with reading_direct(sessions) as tx, reading_direct(sessions) as beside:
        await fetch_rows(tx, INSERT, {"number": 1, "name": "test"})
        assert await counted(beside) == 1


async def test_a_transaction_on_demand_begins_with_its_first_write_and_undoes_it(
    sessions: SessionFactory,
) -> None:
    direct = direct_of(sessions)
    spare: list[Tx] = []

    async def write_and_fail() -> None:
        async with transaction_on_demand(sessions, spare=spare) as tx:
            lead_past(tx, direct)
            # Still a statement of its own …
            assert await counted(tx) == 0
            # … and from here on all of them inside.
            await write_rows(tx, INSERT, {"number": 1, "name": "test"})
            await publish(tx, Rung())
            assert await counted(tx) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write_and_fail()
    async with reading_direct(sessions) as tx:
        assert await counted(tx) == 0
    async with transaction_on_demand(sessions, spare=spare) as tx:
        lead_past(tx, direct)
        await publish(tx, Rung())
        async with reading_direct(sessions) as beside:
            assert await fetch_direct(beside, WAITING) == []
    async with reading_direct(sessions) as tx:
        assert [row.topic for row in await fetch_direct(tx, WAITING)] == ["test.rung"]
    # Neither failed ones nor those that began are used again; one that did neither is.
    assert spare == []
    for _ in range(2):
        async with transaction_on_demand(sessions, spare=spare) as tx:
            lead_past(tx, direct)
            assert await counted(tx) == 0
            assert spare == []
        assert spare == [tx]
    [kept] = spare
    async with transaction_on_demand(sessions, spare=spare) as tx:
        assert tx is kept
    await direct.close()


async def test_connections_that_a_restart_left_dead_are_passed_over(
    sessions: SessionFactory,
) -> None:
    async with (
        reading_direct(sessions) as one,
        reading_direct(sessions) as two,
        reading_direct(sessions) as three,
    ):
        pids = [(await fetch_direct(tx, "SELECT pg_backend_pid()"))[0][0] for tx in (one, two)]
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid"
        assert [row[0] for row in await fetch_direct(three, ended, pids)] == [True, True]
    # Three connections wait in the pool, two of them dead.
    async with (
        reading_direct(sessions) as one,
        reading_direct(sessions) as two,
        reading_direct(sessions) as three,
    ):
        assert [await counted(tx) for tx in (one, two, three)] == [0, 0, 0]


AMONG = text(
    "SELECT n FROM generate_series(1, 3) n WHERE n = ANY(CAST(:numbers AS int[])) ORDER BY n"
)
AMONG_AND_ECHO = text(
    "SELECT n, cardinality(CAST(:numbers AS int[])) AS many FROM generate_series(1, 3) n"
    " WHERE n = ANY(CAST(:numbers AS int[])) ORDER BY n"
)


@pytest.mark.parametrize("numbers,found", [([], []), ([2], [2]), ({3}, [3]), ([1, 3, 9], [1, 3])])
async def test_a_list_of_one_finds_what_a_list_finds(
    sessions: SessionFactory, numbers: list[int], found: list[int]
) -> None:
    async with reading_direct(sessions) as tx:
        assert [row.n for row in await fetch_rows(tx, AMONG, {"numbers": numbers})] == found
        echo = await fetch_rows(tx, AMONG_AND_ECHO, {"numbers": numbers})
    # Where the list is asked for otherwise, too, it stays one.
    assert [(row.n, row.many) for row in echo] == [(n, len(numbers)) for n in found]


async def test_a_statement_for_one_keeps_its_plan(sessions: SessionFactory) -> None:
    plans = text(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
        " WHERE statement LIKE '%' || :ending"
    )
    wanted = text("SELECT id FROM stores WHERE id = ANY(CAST(:ids AS uuid[])) AND 7 = 7")
    ids = [new_id(), new_id()]

    async with reading_direct(sessions) as tx:
        for _ in range(20):
            await fetch_rows(tx, wanted, {"ids": ids[:1]})
            await fetch_rows(tx, wanted, {"ids": ids})
        [alone] = await fetch_rows(tx, plans, {"ending": "= CAST($1 AS uuid) AND 7 = 7"})
        [listed] = await fetch_rows(tx, plans, {"ending": "(CAST($1 AS uuid[])) AND 7 = 7"})

    # The server tries five times before it decides; what it decides for lists depends on the table.
    assert tuple(alone) == (15, 5)
    assert sum(listed) == 20


async def test_a_constraint_refuses_as_it_does_a_session(sessions: SessionFactory) -> None:
    twice = {"number": 1, "name": "test"}
    async with reading_direct(sessions) as tx:
        await fetch_rows(tx, INSERT, twice)
        with pytest.raises(IntegrityError) as refusal:
            await fetch_rows(tx, INSERT, twice)
    assert violated_constraint(refusal.value) == "pk_handled_messages"
