"""Reads for sealing history: rows as digests, the seals there are, and who is still writing.

A row is written as bytes by the server's own send functions, so neither time zone nor locale nor
client matters, and any program can repeat it: integers big endian, uuids as 16 bytes, instants as
microseconds since 2000, texts and hashes behind their length in four bytes, and a byte before each
column that may be NULL (0 for NULL, 1 otherwise).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from o2o.infra.database import Tx
from o2o.ledger.seals import Sealed, Stretch

_SEND = {
    "int2": "int2send({0})",
    "int8": "int8send({0})",
    "uuid": "uuid_send({0})",
    "time": "timestamptz_send({0})",
    "bytes": "int4send(octet_length({0})) || {0}",
    "text": "int4send(octet_length({0})) || convert_to({0}, 'UTF8')",
}
_ENTRY = ("seq int8", "transfer_id uuid", "account_id uuid", "amount int8", "balance_after? int8")
_TRANSFER = (
    "id uuid",
    "request_id uuid",
    "part int2",
    "body_hash bytes",
    "kind text",
    "asset text",
    "from_account_id uuid",
    "to_account_id uuid",
    "amount int8",
    "store_id? uuid",
    "tender? text",
    "reason? text",
    "visit_id? uuid",
    "staff_id? uuid",
    "api_key_id? uuid",
    "reverses_id? uuid",
    "created_at time",
)
_LOT = (
    "id uuid",
    "account_id uuid",
    "kind text",
    "origin_transfer_id uuid",
    "granted int8",
    "granted_at time",
    "expires_at? time",
    "parent_lot_id? uuid",
)
_MOVED = ("lot_id uuid", "amount int8")


def _bytes_of(alias: str, columns: Sequence[str]) -> str:
    """Write an expression for the bytes of a row."""
    parts = []
    for column in columns:
        name, kind = column.split(" ")
        sent = _SEND[kind].format(f"{alias}.{name.rstrip('?')}")
        is_nullable = name.endswith("?")
        parts.append(f"coalesce('\\x01'::bytea || {sent}, '\\x00')" if is_nullable else sent)
    return " || ".join(parts)


# The parts of one entry. What belongs to its transfer is digested once for both of its entries. A
# transfer that is gone has no bytes, which no transfer has.
_MOVES = (
    "SELECT k.id, sha256(coalesce({transfer}, '')) AS transfer, sha256("
    "coalesce((SELECT string_agg('\\x01'::bytea || {lot}, ''::bytea ORDER BY r.id)"
    " FROM ledger_lots r WHERE r.origin_transfer_id = k.id), '')"
    " || coalesce((SELECT string_agg('\\x02'::bytea || {moved}, ''::bytea ORDER BY r.lot_id)"
    " FROM ledger_lot_draws r WHERE r.transfer_id = k.id), '')"
    " || coalesce((SELECT string_agg('\\x03'::bytea || {moved}, ''::bytea ORDER BY r.lot_id)"
    " FROM ledger_lot_returns r WHERE r.transfer_id = k.id), '')) AS lots"
    " FROM (SELECT DISTINCT transfer_id AS id FROM rows) k"
    " LEFT JOIN ledger_transfers t ON t.id = k.id"
)
_PARTS = (
    "SELECT e.seq, sha256({entry}) AS entry, m.transfer, m.lots"
    " FROM rows e JOIN moves m ON m.id = e.transfer_id"
)
_STRETCH = text(
    (
        "WITH rows AS MATERIALIZED (SELECT * FROM ledger_entries"
        " WHERE seq BETWEEN :from_seq AND :to_seq ORDER BY seq LIMIT :most),"
        " moves AS MATERIALIZED ({moves})"
        " SELECT count(*) AS entries, coalesce(max(seq), 0) AS to_seq,"
        " sha256(coalesce(string_agg(sha256(entry || transfer || lots), ''::bytea"
        " ORDER BY seq), '')) AS root, coalesce(string_agg(int8send(seq)"
        " || substring(entry, 1, 8) || substring(transfer, 1, 8) || substring(lots, 1, 8),"
        " ''::bytea ORDER BY seq), '') AS leaves FROM ({parts}) AS parts"
    )
    .replace("{parts}", _PARTS)
    .replace("{moves}", _MOVES)
    .replace("{entry}", _bytes_of("e", _ENTRY))
    .replace("{transfer}", _bytes_of("t", _TRANSFER))
    .replace("{lot}", _bytes_of("r", _LOT))
    .replace("{moved}", _bytes_of("r", _MOVED))
)

_LIST_SEALS = text(
    "SELECT seq, form, from_seq, to_seq, entries, root, leaves, prev_hash, hash, sealed_at"
    " FROM ledger_seals WHERE seq > :after_seq ORDER BY seq LIMIT :limit"
)
_LAST_SEAL = text(
    "SELECT seq, form, from_seq, to_seq, entries, root, leaves, prev_hash, hash, sealed_at"
    " FROM ledger_seals ORDER BY seq DESC LIMIT 1"
)

# Whoever writes entries holds this lock on their table from before the number is drawn until the
# transaction has ended, and lets go of it only after its rows can be seen.
_WRITERS = text(
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation'"
    " AND relation = 'ledger_entries'::regclass AND mode = 'RowExclusiveLock' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND pid <> pg_backend_pid()"
)


async def read_stretch(tx: Tx, *, from_seq: int, to_seq: int, most: int) -> Stretch:
    """Return the entries of a stretch as digests, at most so many from its beginning."""
    row = (await tx.execute(_STRETCH, {"from_seq": from_seq, "to_seq": to_seq, "most": most})).one()
    return Stretch(entries=row.entries, to_seq=row.to_seq, root=row.root, leaves=row.leaves)


async def list_seals(tx: Tx, *, after_seq: int, limit: int) -> list[Sealed]:
    """Return seals in their order."""
    rows = await tx.execute(_LIST_SEALS, {"after_seq": after_seq, "limit": limit})
    return [_seal(row) for row in rows]


async def find_last_seal(tx: Tx) -> Sealed | None:
    """Return the head of the chain."""
    row = (await tx.execute(_LAST_SEAL)).first()
    return _seal(row) if row else None


async def find_noted_seal(tx: Tx) -> tuple[int, bytes | None]:
    """Return number and hash of the last seal as noted beside the chain; 0 where there is none."""
    row = (await tx.execute(text("SELECT sealed_seq, sealed_hash FROM ledger_seal_marks"))).first()
    return (row.sealed_seq, row.sealed_hash) if row else (0, None)


async def get_drawn_seq(tx: Tx) -> int:
    """Return the highest number that any entry, committed or not, can have drawn by now."""
    drawn = await tx.scalar(
        text(
            "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END"
            " FROM ledger_entries_seq_seq"
        )
    )
    return int(drawn or 0)


async def list_writers(tx: Tx) -> set[str]:
    """Return the other transactions that may have drawn numbers for entries and go on."""
    return set((await tx.scalars(_WRITERS)).all())


async def count_entries_outside(tx: Tx, *, sealed_to: int) -> tuple[int, int]:
    """Count the entries that no seal reaches: before the first, and after the last."""
    row = (
        await tx.execute(
            text(
                "SELECT (SELECT count(*) FROM ledger_entries WHERE seq < 1) AS before,"
                " (SELECT count(*) FROM ledger_entries WHERE seq > :sealed_to) AS after"
            ),
            {"sealed_to": max(sealed_to, 0)},
        )
    ).one()
    return row.before, row.after


async def list_transfers_of_entries(tx: Tx, seqs: Sequence[int]) -> dict[int, str]:
    """Return the transfers to which entries belong, by the entries' numbers."""
    rows = await tx.execute(
        text(
            "SELECT seq, transfer_id FROM ledger_entries WHERE seq = ANY(CAST(:seqs AS bigint[]))"
        ),
        {"seqs": list(seqs)},
    )
    return {row.seq: str(row.transfer_id) for row in rows}


def _seal(row: Row[Any]) -> Sealed:
    return Sealed(**row._asdict())
