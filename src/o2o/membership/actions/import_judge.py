"""Judge staged rows against each other and against the members there are; then the file is checked.

In slices, so that a statement over a million rows stays within the time any statement has; each
reads the whole file, so there are no more of them than it needs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text, update

from o2o.crm.imports import Import
from o2o.crm.statuses import ImportKind, ImportStatus
from o2o.infra.database import Tx
from o2o.membership.actions.import_stage import Staged
from o2o.membership.errors_imports import ImportNotReady
from o2o.membership.imports.moves import IMPORT_MOVES

ROWS_OF_A_SLICE = 250_000
# How many numbers of one length there must be before a shorter one is taken for having lost zeros:
# nearly all, or most of them when some show that they begin with zeros.
USUAL_PERCENT = 95
USUAL_MIN = 20
USUAL_PERCENT_WITH_ZEROS = 50

# What is found stands apart before rows are changed: joined the other way round, the search would
# be made again for each of a million rows.
_TWICE = (
    "WITH d AS MATERIALIZED (SELECT {column}, min(line) AS first FROM import_card_rows"
    " WHERE import_id = :id AND {column} IS NOT NULL"
    " AND abs(hashtext({column}) % :slices) = :slice GROUP BY {column} HAVING count(*) > 1)"
    " UPDATE import_card_rows r SET fault = '{code}', fault_detail = CAST(d.first AS text)"
    " FROM d WHERE r.import_id = :id AND r.{column} = d.{column} AND r.line <> d.first"
    " AND r.fault IS NULL"
)
CARD_TWICE = text(_TWICE.format(code="card_no_twice", column="card_no"))
PHONE_TWICE = text(_TWICE.format(code="phone_twice", column="phone"))

_OF_SLICE = (
    "WHERE r.import_id = :id AND r.fault IS NULL"
    " AND r.line % CAST(:slices AS bigint) = CAST(:slice AS bigint)"
)


def _sliced(change: str, condition: str = "") -> TextClause:
    return text(" ".join((change, _OF_SLICE, condition)))  # noqa: FLY002 - our own texts, joined


CARD_EXISTS = _sliced(
    "UPDATE import_card_rows r SET fault = 'card_no_exists'",
    "AND (EXISTS (SELECT 1 FROM offline_cards c"
    " WHERE c.brand_id = :brand_id AND c.card_no = r.card_no)"
    " OR EXISTS (SELECT 1 FROM cards c WHERE c.card_no = r.card_no AND c.brand_id = :brand_id))",
)
PHONE_EXISTS = _sliced(
    "UPDATE import_card_rows r SET fault = 'phone_exists'",
    "AND r.phone IS NOT NULL AND (EXISTS (SELECT 1 FROM members m"
    " WHERE m.brand_id = :brand_id AND m.phone = r.phone AND m.status = 'active')"
    " OR EXISTS (SELECT 1 FROM member_identities i WHERE i.brand_id = :brand_id"
    " AND i.kind = 'phone' AND i.value = r.phone))",
)
FIND_MEMBERS = _sliced(
    "UPDATE import_purchase_rows r SET member_id = coalesce("
    " (SELECT c.member_id FROM offline_cards c"
    "  WHERE c.brand_id = :brand_id AND c.card_no = r.card_no),"
    " (SELECT c.member_id FROM cards c"
    "  WHERE c.brand_id = :brand_id AND c.card_no = r.card_no),"
    " (SELECT i.member_id FROM member_identities i"
    "  WHERE i.brand_id = :brand_id AND i.kind = 'phone' AND i.value = r.phone),"
    " (SELECT CAST(min(CAST(m.id AS text)) AS uuid) FROM members m WHERE m.brand_id = :brand_id"
    "  AND m.phone = r.phone AND m.status = 'active' HAVING count(*) = 1))"
)
FOLLOW_MERGED = _sliced(
    "UPDATE import_purchase_rows r SET member_id = m.merged_into_id FROM members m",
    "AND m.id = r.member_id AND m.status = 'merged'",
)
NO_MEMBER = _sliced(
    "UPDATE import_purchase_rows r SET fault = 'member_unknown'",
    "AND NOT EXISTS (SELECT 1 FROM members m WHERE m.id = r.member_id AND m.status = 'active')",
)
_BILL = (
    "WITH d AS MATERIALIZED (SELECT external_id, min(line) AS first FROM import_purchase_rows"
    " WHERE import_id = :id AND abs(hashtext(external_id) % :slices) = :slice"
    " GROUP BY external_id HAVING {condition})"
    " UPDATE import_purchase_rows r SET fault = '{code}', fault_detail = CAST(d.first AS text)"
    " FROM d WHERE r.import_id = :id AND r.external_id = d.external_id AND r.fault IS NULL"
)
# A bill is one member's, in one store, at one time; and it is brought over whole or not at all.
BILL_DIFFERS = text(
    _BILL.format(
        code="bill_differs",
        condition="count(fault) = 0 AND (count(DISTINCT (store_id, bought_at)) > 1"
        " OR count(DISTINCT member_id) > 1 OR count(DISTINCT total_fen) > 1 OR count(*) > 1000)",
    )
)
BILL_PARTLY_FAULTY = text(_BILL.format(code="bill_partly_faulty", condition="count(fault) > 0"))

STEPS = {
    ImportKind.CARDS: (CARD_TWICE, PHONE_TWICE, CARD_EXISTS, PHONE_EXISTS),
    ImportKind.PURCHASES: (
        FIND_MEMBERS,
        FOLLOW_MERGED,
        NO_MEMBER,
        BILL_DIFFERS,
        BILL_PARTLY_FAULTY,
    ),
}

_LENGTHS = text(
    "SELECT length(card_no) AS length, count(*) AS numbers,"
    " count(*) FILTER (WHERE left(card_no, 1) = '0') AS with_zero FROM import_card_rows"
    " WHERE import_id = :id AND card_no ~ '^[0-9]+$' GROUP BY 1"
)
_SHORT = text(
    "UPDATE import_card_rows SET fault = 'card_no_short', fault_detail = :usual"
    " WHERE import_id = :id AND fault IS NULL AND card_no ~ '^[0-9]+$'"
    " AND length(card_no) < CAST(:length AS integer)"
)
_CARD_TOTALS = text(
    "SELECT count(*) FILTER (WHERE fault IS NOT NULL) AS faulty,"
    " coalesce(sum(principal_fen) FILTER (WHERE fault IS NULL), 0)::bigint AS principal_fen,"
    " coalesce(sum(bonus_fen) FILTER (WHERE fault IS NULL), 0)::bigint AS bonus_fen,"
    " coalesce(sum(points) FILTER (WHERE fault IS NULL), 0)::bigint AS points"
    " FROM import_card_rows WHERE import_id = :id"
)
# Those that could not be read were counted when they were.
_PURCHASE_TOTALS = text(
    "SELECT count(*) FILTER (WHERE fault <> 'unreadable') AS faulty,"
    " coalesce(sum(amount_fen) FILTER (WHERE fault IS NULL), 0)::bigint AS principal_fen,"
    " 0::bigint AS bonus_fen, 0::bigint AS points"
    " FROM import_purchase_rows WHERE import_id = :id"
)
_ROOM = text("SET LOCAL work_mem = '32MB'")
_FORGET_FILE = text("DELETE FROM import_chunks WHERE import_id = :id")


# Nobody has counted what was just written; without a count every plan is a plan for a few rows.
_COUNT = {
    ImportKind.CARDS: text("ANALYZE import_card_rows"),
    ImportKind.PURCHASES: text("ANALYZE import_purchase_rows"),
}


async def begin_judging(tx: Tx, one: Import) -> None:
    """Let the database know what it has."""
    await tx.execute(_COUNT[one.kind])


def count_slices(row_count: int) -> int:
    """Return in how many slices so many rows are judged."""
    return 1 + row_count // ROWS_OF_A_SLICE


async def judge_slice(tx: Tx, one: Import, *, step: int, slice_number: int, slices: int) -> None:
    """Do one slice of one step of `STEPS`."""
    # Each value of a slice in memory at once, not sorted on disk.
    await tx.execute(_ROOM)
    await tx.execute(
        STEPS[one.kind][step],
        {
            "id": one.id,
            "slices": slices,
            "slice": slice_number,
            **({"brand_id": one.brand_id} if _asks_brand(one.kind, step) else {}),
        },
    )


def _asks_brand(kind: ImportKind, step: int) -> bool:
    return ":brand_id" in STEPS[kind][step].text


async def judge_lengths(tx: Tx, import_id: UUID) -> None:
    """Find card numbers that are shorter than their like because leading zeros were lost."""
    rows = (await tx.execute(_LENGTHS, {"id": import_id})).all()
    total = sum(row.numbers for row in rows)
    if not rows:
        return
    usual = max(rows, key=lambda row: (row.numbers, row.length))
    percent = USUAL_PERCENT_WITH_ZEROS if usual.with_zero else USUAL_PERCENT
    is_usual = usual.numbers * 100 >= total * percent
    if is_usual and (usual.with_zero or usual.numbers >= USUAL_MIN):
        await tx.execute(
            _SHORT, {"id": import_id, "usual": str(usual.length), "length": usual.length}
        )


async def finish_check(
    tx: Tx, one: Import, staged: Staged, *, form: dict[str, Any], now: datetime
) -> None:
    """Keep what the file would bring; its bytes are no longer needed. Raises ImportNotReady."""
    totals = _CARD_TOTALS if one.kind is ImportKind.CARDS else _PURCHASE_TOTALS
    row = (await tx.execute(totals, {"id": one.id})).one()
    await _move(
        tx,
        one.id,
        to=ImportStatus.CHECKED,
        mine=staged.leased_until,
        values={
            "form": form,
            "bytes_read": one.file_bytes,
            "row_count": staged.row_count,
            "faulty_count": staged.faulty_count + row.faulty,
            "principal_fen": row.principal_fen,
            "bonus_fen": row.bonus_fen,
            "points": row.points,
            "checked_at": now,
        },
    )
    await tx.execute(_FORGET_FILE, {"id": one.id})


async def give_up_check(
    tx: Tx,
    one: Import,
    staged: Staged,
    *,
    problem: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Keep why a file cannot be read. Raises ImportNotReady."""
    await _move(
        tx,
        one.id,
        to=ImportStatus.UNREADABLE,
        mine=staged.leased_until,
        values={"problem": problem, "problem_detail": detail, "ended_at": now},
    )
    await tx.execute(_FORGET_FILE, {"id": one.id})


async def _move(
    tx: Tx, import_id: UUID, *, to: ImportStatus, mine: datetime, values: dict[str, Any]
) -> None:
    done = await tx.execute(
        update(Import)
        .where(
            Import.id == import_id,
            Import.leased_until == mine,
            Import.status.in_(IMPORT_MOVES.sources_of(to)),
        )
        .values(status=to, leased_until=None, **values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ImportNotReady(status="taken")
