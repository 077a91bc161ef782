"""Stage a file's rows: written down apart from members and books, while it is read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.imports import Import
from o2o.crm.statuses import ImportStatus
from o2o.infra.bulk import copy_rows
from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.membership.actions.import_code import code_hash
from o2o.membership.errors_imports import ImportNotReady
from o2o.membership.imports.cards import CardRow
from o2o.membership.imports.faults import FAULTS_KEPT, Fault
from o2o.membership.imports.purchases import PurchaseRow
from o2o.membership.queries.imports import lock_import

# Whoever reads a file says so again with every batch; silent for longer, and another begins anew.
LEASE = timedelta(seconds=20)

# In the order of `CardRow`, with a hash instead of the code; and of `PurchaseRow`.
_CARD_COLUMNS = (
    "import_id",
    "line",
    "card_no",
    "code_hash",
    "name",
    "phone",
    "principal_fen",
    "bonus_fen",
    "points",
    "tier_id",
    "store_id",
    "opened_on",
)
_PURCHASE_COLUMNS = (
    "import_id",
    "line",
    "external_id",
    "card_no",
    "phone",
    "store_id",
    "bought_at",
    "item_code",
    "item_name",
    "quantity",
    "amount_fen",
    "total_fen",
)
# Rows that cannot be read, so that the rest of their bills is found and left out.
_KEEP_TORN = text(
    "INSERT INTO import_purchase_rows (import_id, line, external_id, store_id, bought_at,"
    " item_code, item_name, quantity, amount_fen, fault)"
    " SELECT :id, line, external_id, :id, CAST(:now AS timestamptz), '', '', 1, 0, 'unreadable'"
    " FROM unnest(CAST(:lines AS bigint[]), CAST(:external_ids AS text[])) AS t(line, external_id)"
)
_KEEP_FAULTS = text(
    "INSERT INTO import_faults (import_id, position, line, field, code, value, detail)"
    " SELECT :id, * FROM unnest(CAST(:positions AS bigint[]), CAST(:lines AS bigint[]),"
    " CAST(:fields AS text[]), CAST(:codes AS text[]), CAST(:values AS text[]),"
    " CAST(:details AS text[]))"
)
_FORGET = (
    text("DELETE FROM import_card_rows WHERE import_id = :id"),
    text("DELETE FROM import_purchase_rows WHERE import_id = :id"),
    text("DELETE FROM import_faults WHERE import_id = :id"),
)
_GO_ON = text(
    "UPDATE imports SET leased_until = :until, bytes_read = :bytes_read"
    " WHERE id = :id AND leased_until = :mine"
)


class Staged(msgspec.Struct, kw_only=True):
    """What has been read so far, and until when the reading is ours."""

    leased_until: datetime
    bytes_read: int = 0
    row_count: int = 0
    faulty_count: int = 0
    fault_count: int = 0


async def begin_check(tx: Tx, import_id: UUID, *, now: datetime) -> tuple[Import, Staged]:
    """Take a file for reading, from its first row. Raises ImportNotReady when another has it."""
    one = await lock_import(tx, import_id)
    is_taken = one.leased_until is not None and one.leased_until >= now
    if one.status is not ImportStatus.UPLOADED or is_taken:
        raise ImportNotReady(status=one.status.value)
    for statement in _FORGET:
        await tx.execute(statement, {"id": import_id})
    one.leased_until = now + LEASE
    one.bytes_read = 0
    await tx.flush()
    return one, Staged(leased_until=one.leased_until)


async def stage_cards(tx: Tx, import_id: UUID, rows: Sequence[CardRow], *, seal: Seal) -> None:
    """Write rows of cards down; of a code only its hash."""
    if not rows:
        return
    records = (
        (
            import_id,
            row.line,
            row.card_no,
            code_hash(seal, card_no=row.card_no, code=row.code) if row.code else None,
            *row[3:],
        )
        for row in rows
    )
    await copy_rows(tx, "import_card_rows", records, columns=_CARD_COLUMNS)


async def stage_purchases(
    tx: Tx,
    import_id: UUID,
    rows: Sequence[PurchaseRow],
    *,
    torn: Sequence[tuple[int, str]],
    now: datetime,
) -> None:
    """Write lines of bills down, and which lines of which bills could not be read."""
    if torn:
        await tx.execute(
            _KEEP_TORN,
            {
                "id": import_id,
                "now": now,
                "lines": [line for line, _ in torn],
                "external_ids": [external_id for _, external_id in torn],
            },
        )
    if not rows:
        return
    records = ((import_id, *row) for row in rows)
    await copy_rows(tx, "import_purchase_rows", records, columns=_PURCHASE_COLUMNS)


async def keep_progress(
    tx: Tx, import_id: UUID, staged: Staged, *, faults: Sequence[Fault] = (), now: datetime
) -> None:
    """Keep faults up to the first thousand and say that we go on.

    Raises ImportNotReady when another took the file over, or it was taken back.
    """
    kept = faults[: max(0, FAULTS_KEPT - staged.fault_count)]
    if kept:
        await tx.execute(
            _KEEP_FAULTS,
            {
                "id": import_id,
                "positions": range(staged.fault_count, staged.fault_count + len(kept)),
                "lines": [fault.line for fault in kept],
                "fields": [fault.field for fault in kept],
                "codes": [fault.code for fault in kept],
                "values": [fault.value for fault in kept],
                "details": [fault.detail for fault in kept],
            },
        )
    staged.fault_count += len(faults)
    # Later than before even where the clock stands still: it is also the mark that it is ours.
    until = max(now + LEASE, staged.leased_until + timedelta(microseconds=1))
    done = await tx.execute(
        _GO_ON,
        {
            "id": import_id,
            "mine": staged.leased_until,
            "until": until,
            "bytes_read": staged.bytes_read,
        },
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise ImportNotReady(status="taken")
    staged.leased_until = until
