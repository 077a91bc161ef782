"""Sealing beside writers: a number drawn early and committed late is never left out."""

import asyncio

from sqlalchemy import text

from o2o.infra.database import SessionFactory, Tx, transaction
from o2o.ledger.actions.debit_stored_value import debit_stored_value
from o2o.ledger.queries.seals import get_drawn_seq, list_writers, read_stretch
from o2o.ledger.seals import seal_of
from o2o.ledger.verify import verify_ledger
from o2o.ledger.verify_seals import ROWS
from tests.factories.ledger import Books, debit, given_committed_books
from tests.factories.seals import damage, sealed
from tests.fakes.clock import NOON


async def entries(sessions: SessionFactory) -> list[int]:
    """The numbers of all entries."""
    async with transaction(sessions) as tx:
        return list(await tx.scalars(text("SELECT seq FROM ledger_entries ORDER BY seq")))


async def write_for(tx: Tx, books: Books) -> None:
    """Two entries, uncommitted for now."""
    [result] = await debit_stored_value(tx, [debit(books, 1)])
    assert not isinstance(result, Exception), result


async def test_a_held_open_writer_holds_sealing_back_at_its_number(
    sessions: SessionFactory,
) -> None:
    books = await given_committed_books(sessions, principal_fen=1_000)
    await sealed(sessions)
    async with sessions() as slow:
        # Draws 3 and 4 and stays open; 5 and 6 commit before it.
        await write_for(slow, books)
        async with transaction(sessions) as tx:
            # Not through the ledger, whose lock on the card would wait for the slow one.
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(
                text(
                    "INSERT INTO ledger_entries (transfer_id, account_id, amount)"
                    " SELECT t.id, gen_random_uuid(), v FROM ledger_transfers t,"
                    " (VALUES (1), (-1)) AS a(v)"
                )
            )
        assert await entries(sessions) == [1, 2, 5, 6]

        assert await sealed(sessions) == []
        assert await sealed(sessions) == []

        await _commit(slow)
    assert await entries(sessions) == [1, 2, 3, 4, 5, 6]
    [seal] = await sealed(sessions)
    assert (seal.from_seq, seal.to_seq, seal.entries) == (3, 6, 4)
    assert (await verify_ledger(sessions)).history.fault_counts[ROWS] == 0


async def test_a_seal_made_without_waiting_would_have_missed_it(sessions: SessionFactory) -> None:
    """The guard taken away: sealing all that is seen leaves the slow writer's rows out."""
    books = await given_committed_books(sessions, principal_fen=1_000)
    async with sessions() as slow:
        await write_for(slow, books)
        async with transaction(sessions) as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(
                text(
                    "INSERT INTO ledger_entries (transfer_id, account_id, amount)"
                    " SELECT t.id, gen_random_uuid(), 1 FROM ledger_transfers t"
                )
            )
        async with transaction(sessions) as tx:
            stretch = await read_stretch(tx, from_seq=1, to_seq=2**62, most=100)
        seal = seal_of(stretch, after=None, from_seq=1, sealed_at=NOON)
        await _commit(slow)
    columns = "seq, form, from_seq, to_seq, entries, root, leaves, prev_hash, hash, sealed_at"
    await damage(
        sessions,
        f"INSERT INTO ledger_seals ({columns})"
        f" VALUES ({', '.join(':' + name for name in columns.split(', '))})",
        **{name: getattr(seal, name) for name in columns.split(", ")},
    )

    verdict = await verify_ledger(sessions)

    assert [(f.subject, f.found) for f in verdict.history.faults if f.check == ROWS] == [
        ("entry 3", "added"),
        ("entry 4", "added"),
    ]


async def test_under_constant_writing_sealing_goes_on(sessions: SessionFactory) -> None:
    """At every round somebody writes, but never the same one: each round decides the one before."""
    books = await given_committed_books(sessions, principal_fen=1_000)
    counts = []
    for _ in range(3):
        async with sessions() as writer:
            await write_for(writer, books)
            counts.append([seal.entries for seal in await sealed(sessions)])
            await _commit(writer)
    assert counts == [[], [2 + 2], [2]]


async def test_readers_do_not_hold_sealing_back(sessions: SessionFactory) -> None:
    await given_committed_books(sessions, principal_fen=1_000)
    async with sessions() as reader:
        await reader.execute(text("SELECT count(*) FROM ledger_entries"))
        assert await list_writers(reader) == set()
        [seal] = await sealed(sessions)
    assert seal.entries == 2


async def test_two_rounds_at_once_seal_once(sessions: SessionFactory) -> None:
    await given_committed_books(sessions, principal_fen=1_000)
    rounds = await asyncio.gather(*(sealed(sessions) for _ in range(6)))
    assert sum(len(seals) for seals in rounds) == 1
    assert (await verify_ledger(sessions)).is_sound


async def test_numbers_are_handed_out_one_by_one(sessions: SessionFactory) -> None:
    """The proof of sealing rests on it: no session keeps numbers for later."""
    async with transaction(sessions) as tx:
        assert await get_drawn_seq(tx) == 0
        cache = await tx.scalar(
            text("SELECT cache_size FROM pg_sequences WHERE sequencename = :name"),
            {"name": "ledger_entries_seq_seq"},
        )
    assert cache == 1


async def _commit(tx: Tx) -> None:
    connection = await tx.connection()
    await connection.commit()
