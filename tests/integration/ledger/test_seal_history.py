"""Sealing: history in chained stretches, each row named when a byte of it changes."""

import hashlib
import struct
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from o2o.infra.database import SessionFactory, transaction
from o2o.ledger.actions.seal_history import HEAD_TOPIC
from o2o.ledger.errors import BooksOutOfStep
from o2o.ledger.heads import HeadsFile
from o2o.ledger.seals import GENESIS, SealHead
from o2o.ledger.verify import verify_ledger
from o2o.ledger.verify_seals import CHAIN, DAYS, HEADS, ROWS, verify_history
from tests.factories.ledger import given_top_up
from tests.factories.seals import damage, given_a_day, sealed


async def faults(sessions: SessionFactory, *heads: SealHead) -> list[tuple[str, str, str]]:
    """What the verification says of sealed history: check, row, how it was found."""
    verdict = await verify_ledger(sessions, heads=heads)
    return [(fault.check, fault.subject, fault.found) for fault in verdict.history.faults]


async def test_history_is_sealed_in_a_chain_of_stretches(sessions: SessionFactory) -> None:
    await given_a_day(sessions)

    seals = await sealed(sessions, entries_max=5)

    assert [(seal.seq, seal.from_seq, seal.to_seq, seal.entries) for seal in seals] == [
        (1, 1, 5, 5),
        (2, 6, 10, 5),
        (3, 11, 12, 2),
    ]
    assert [seal.prev_hash for seal in seals] == [GENESIS, seals[0].hash, seals[1].hash]
    verdict = await verify_ledger(sessions)
    assert verdict.is_sound
    assert (verdict.history.seals, verdict.history.sealed_entries) == (3, 12)
    assert verdict.history.head == seals[2].head


async def test_what_is_sealed_is_not_sealed_again_and_what_comes_is_counted(
    sessions: SessionFactory,
) -> None:
    books = await given_a_day(sessions)
    await sealed(sessions)
    assert await sealed(sessions) == []
    async with transaction(sessions) as tx:
        await given_top_up(tx, books, principal_fen=100)

    assert (await verify_ledger(sessions)).history.unsealed_entries == 2
    [second] = await sealed(sessions)

    assert (second.seq, second.from_seq, second.entries) == (2, 13, 2)
    assert (await verify_ledger(sessions)).history.unsealed_entries == 0


async def test_a_number_that_was_drawn_in_vain_is_no_fault(sessions: SessionFactory) -> None:
    books = await given_a_day(sessions)
    async with sessions() as undone:
        await given_top_up(undone, books, principal_fen=100)
    async with transaction(sessions) as tx:
        await given_top_up(tx, books, principal_fen=200)

    [seal] = await sealed(sessions)

    assert (seal.entries, seal.to_seq) == (14, 16)
    assert (await verify_ledger(sessions)).is_sound


async def test_the_bytes_are_what_is_written_down(sessions: SessionFactory) -> None:
    """Any program can repeat them: the first entry of the day, by hand."""
    await given_a_day(sessions)
    [seal] = await sealed(sessions, entries_max=100)
    async with transaction(sessions) as tx:
        entry = (await tx.execute(text("SELECT * FROM ledger_entries WHERE seq = 1"))).one()
        row = (
            await tx.execute(
                text("SELECT * FROM ledger_transfers WHERE id = :id"), {"id": entry.transfer_id}
            )
        ).one()
        lot = (
            await tx.execute(
                text("SELECT * FROM ledger_lots WHERE origin_transfer_id = :id"), {"id": row.id}
            )
        ).one()

    def sized(value: str | bytes) -> bytes:
        data = value.encode() if isinstance(value, str) else value
        return struct.pack(">i", len(data)) + data

    def instant(at: datetime) -> bytes:
        micros = (at - datetime(2000, 1, 1, tzinfo=UTC)) // datetime.resolution
        return struct.pack(">q", micros)

    def perhaps(value: UUID | None) -> bytes:
        return b"\1" + value.bytes if value else b"\0"

    entry_bytes = (
        struct.pack(">q", 1)
        + entry.transfer_id.bytes
        + entry.account_id.bytes
        + struct.pack(">q", entry.amount)
        + b"\0"
    )
    transfer_bytes = b"".join(
        [
            *(row.id.bytes, row.request_id.bytes, struct.pack(">h", row.part)),
            *(sized(row.body_hash), sized(row.kind), sized(row.asset)),
            *(row.from_account_id.bytes, row.to_account_id.bytes, struct.pack(">q", row.amount)),
            *(perhaps(row.store_id), b"\1" + sized(row.tender), b"\0"),
            *map(perhaps, (row.visit_id, row.staff_id, row.api_key_id, row.reverses_id)),
            instant(row.created_at),
        ]
    )
    lots_bytes = b"".join(
        [
            *(b"\1", lot.id.bytes, lot.account_id.bytes, sized(lot.kind), row.id.bytes),
            *(struct.pack(">q", lot.granted), instant(lot.granted_at), b"\0", b"\0"),
        ]
    )
    digests = [hashlib.sha256(part).digest() for part in (entry_bytes, transfer_bytes, lots_bytes)]
    assert seal.leaves[:32] == struct.pack(">q", 1) + b"".join(one[:8] for one in digests)


DEBIT = "(SELECT id FROM ledger_transfers WHERE kind = 'debit' ORDER BY id LIMIT 1)"
TOP_UP = "(SELECT id FROM ledger_transfers WHERE kind = 'top_up')"
# Where, and which kind of row is to be named.
CHANGES = {
    "balance of an entry": (
        "UPDATE ledger_entries SET balance_after = balance_after + 1 WHERE seq = 2",
        "entry",
    ),
    "account of an entry": (
        "UPDATE ledger_entries SET account_id = gen_random_uuid() WHERE seq = 2",
        "entry",
    ),
    "reason of a transfer": (
        f"UPDATE ledger_transfers SET reason = 'x' WHERE id = {TOP_UP}",
        "transfer",
    ),
    "tender of a transfer": (
        f"UPDATE ledger_transfers SET tender = 'transfer' WHERE id = {TOP_UP}",
        "transfer",
    ),
    "a microsecond": (
        (
            "UPDATE ledger_transfers SET created_at = created_at + interval '1 microsecond'"
            f" WHERE id = {TOP_UP}"
        ),
        "transfer",
    ),
    "a clerk put in": (
        f"UPDATE ledger_transfers SET staff_id = gen_random_uuid() WHERE id = {TOP_UP}",
        "transfer",
    ),
    "what was asked": (
        (
            "UPDATE ledger_transfers SET body_hash = set_byte(body_hash, 0,"
            f" get_byte(body_hash, 0) # 1) WHERE id = {TOP_UP}"
        ),
        "transfer",
    ),
    "when a lot ends": (
        f"UPDATE ledger_lots SET expires_at = granted_at WHERE origin_transfer_id = {TOP_UP}",
        "lots",
    ),
    "age of a lot": (
        (
            "UPDATE ledger_lots SET granted_at = granted_at - interval '1 day'"
            f" WHERE origin_transfer_id = {TOP_UP}"
        ),
        "lots",
    ),
}


async def faults_after(sessions: SessionFactory, *statements: str) -> list[tuple[str, str, str]]:
    """What the verification says once rows are changed past all guards; then it is undone."""
    async with sessions() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await tx.execute(text(statement))
        verdict = await verify_history(tx, [])
    return [(fault.check, fault.subject, fault.found) for fault in verdict.faults]


async def test_each_changed_row_is_named(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions)
    async with transaction(sessions) as tx:
        top_up_id = await tx.scalar(text(f"SELECT {TOP_UP}"))
    subjects = {
        "entry": "entry 2",
        "transfer": f"transfer {top_up_id}",
        "lots": f"lots of {top_up_id}",
    }

    named = {
        name: await faults_after(sessions, statement) for name, (statement, _) in CHANGES.items()
    }

    assert named == {name: [(ROWS, subjects[row], "changed")] for name, (_, row) in CHANGES.items()}
    assert await faults(sessions) == []


async def test_draws_and_returns_are_sealed_with_their_transfer(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions)
    async with transaction(sessions) as tx:
        debit_id = await tx.scalar(text(f"SELECT {DEBIT}"))

    await damage(
        sessions,
        "UPDATE ledger_lot_draws SET amount = amount + CASE WHEN lot_id ="
        " (SELECT min(id::text)::uuid FROM ledger_lots WHERE kind = 'bonus') THEN 1 ELSE -1 END"
        f" WHERE transfer_id = {DEBIT}",
    )
    named = [one for one in await faults(sessions) if one[0] == ROWS]
    assert named == [(ROWS, f"lots of {debit_id}", "changed")]

    await damage(
        sessions,
        "INSERT INTO ledger_lot_returns SELECT transfer_id, lot_id, 1 FROM ledger_lot_draws"
        " WHERE transfer_id = (SELECT id FROM ledger_transfers WHERE kind = 'points_spent')",
    )
    async with transaction(sessions) as tx:
        spent_id = await tx.scalar(
            text("SELECT id FROM ledger_transfers WHERE kind = 'points_spent'")
        )
    assert (ROWS, f"lots of {spent_id}", "changed") in await faults(sessions)


async def test_a_row_that_went_away_or_came_is_named(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions)

    await damage(sessions, "DELETE FROM ledger_entries WHERE seq IN (3, 4)")
    assert [one for one in await faults(sessions) if one[0] == ROWS] == [
        (ROWS, "entry 3", "missing"),
        (ROWS, "entry 4", "missing"),
    ]

    await damage(
        sessions,
        "INSERT INTO ledger_entries (seq, transfer_id, account_id, amount)"
        " OVERRIDING SYSTEM VALUE SELECT s, transfer_id, gen_random_uuid(), 1"
        " FROM ledger_entries, (VALUES (3), (0)) AS v(s) WHERE seq = 1",
    )
    assert [one for one in await faults(sessions) if one[0] == ROWS] == [
        (ROWS, "entry 3", "changed"),
        (ROWS, f"transfer {await _transfer_of(sessions, 3)}", "changed"),
        (ROWS, f"lots of {await _transfer_of(sessions, 3)}", "changed"),
        (ROWS, "entry 4", "missing"),
        (ROWS, "entries before the first", "1 added"),
    ]


async def _transfer_of(sessions: SessionFactory, seq: int) -> str:
    async with transaction(sessions) as tx:
        return str(
            await tx.scalar(
                text("SELECT transfer_id FROM ledger_entries WHERE seq = :seq"), {"seq": seq}
            )
        )


async def test_entries_in_another_order_are_named(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions)

    await damage(
        sessions,
        "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT * FROM ledger_entries WHERE seq IN (6, 8)",
        "DELETE FROM ledger_entries WHERE seq IN (6, 8)",
        "INSERT INTO ledger_entries (seq, transfer_id, account_id, amount, balance_after)"
        " OVERRIDING SYSTEM VALUE"
        " SELECT 14 - seq, transfer_id, account_id, amount, balance_after FROM gone",
    )

    named = {one[1] for one in await faults(sessions) if one[0] == ROWS}
    assert {"entry 6", "entry 8"} <= named


async def test_the_last_seal_is_missed(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions, entries_max=5)

    await damage(sessions, "DELETE FROM ledger_seals WHERE seq = 3")

    assert [one[:2] for one in await faults(sessions)] == [
        (CHAIN, "the last seal"),
        *[one[:2] for one in await faults(sessions) if one[0] == DAYS],
    ]
    assert (await verify_ledger(sessions)).history.unsealed_entries == 2
    with pytest.raises(BooksOutOfStep):
        await sealed(sessions)


async def test_a_seal_that_was_touched_breaks_the_chain(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions, entries_max=5)

    for change in (
        "UPDATE ledger_seals SET hash = prev_hash WHERE seq = 2",
        "UPDATE ledger_seals SET leaves = set_byte(leaves, 9, 7) WHERE seq = 2",
        "UPDATE ledger_seals SET sealed_at = sealed_at + interval '1 second' WHERE seq = 2",
        "UPDATE ledger_seals SET form = 2 WHERE seq = 2",
        "UPDATE ledger_seals SET to_seq = 9 WHERE seq = 2",
        "DELETE FROM ledger_seals WHERE seq = 2",
        "DELETE FROM ledger_seals",
    ):
        assert CHAIN in {one[0] for one in await faults_after(sessions, change)}, change


async def test_a_chain_made_anew_does_not_pass_through_a_noted_head(
    sessions: SessionFactory, tmp_path: Path
) -> None:
    await given_a_day(sessions)
    seals = await sealed(sessions, entries_max=5)
    async with transaction(sessions) as tx:
        payloads = await tx.scalars(
            text("SELECT payload FROM outbox_messages WHERE topic = :topic"), {"topic": HEAD_TOPIC}
        )
        [payload] = payloads.all()
    heads = HeadsFile(tmp_path / "kept")
    assert heads.list_heads() == []
    await heads.note(payload)
    await heads.note(payload)
    assert heads.list_heads() == [seals[2].head, seals[2].head]
    assert await faults(sessions, *heads.list_heads()) == []

    await damage(
        sessions,
        "UPDATE ledger_transfers SET reason = 'x'",
        "DELETE FROM ledger_seals",
        "DELETE FROM ledger_seal_marks",
        "DELETE FROM ledger_liability_days",
    )
    await sealed(sessions, entries_max=5)

    assert await faults(sessions) == []
    assert {one[:2] for one in await faults(sessions, *heads.list_heads())} == {(HEADS, "seal 3")}


async def test_seals_and_grants_cannot_be_changed(sessions: SessionFactory) -> None:
    await given_a_day(sessions)
    await sealed(sessions)

    for change in (
        "UPDATE ledger_seals SET entries = 1",
        "DELETE FROM ledger_seals",
        "TRUNCATE ledger_seals",
        "UPDATE ledger_lots SET kind = 'principal'",
        "UPDATE ledger_lots SET granted = granted + 1",
        "DELETE FROM ledger_lots",
    ):
        with pytest.raises(DBAPIError, match="append only"):
            async with transaction(sessions) as tx:
                await tx.execute(text(change))


def test_a_head_is_read_as_it_is_written() -> None:
    head = SealHead(seq=12, hash=bytes(range(32)))
    assert SealHead.parse(f" {head}\n") == head
    for text_of in ("", "12", "12:abc", f"x:{bytes(32).hex()}", f"1:{'g' * 64}"):
        with pytest.raises(ValueError, match=r"."):
            SealHead.parse(text_of)
