"""Carry checked rows of cards over, a batch at a time: members, cards, opening balances.

The cursor moves in the transaction of the rows, so that whoever goes on after a kill begins where
the last commit ended. Rows go from table to table inside the database; here come only their
lines, their amounts and the ids they get.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from o2o.crm.imports import Import
from o2o.infra.database import Tx
from o2o.kernel.ids import (
    BrandId,
    MemberId,
    RequestId,
    StaffId,
    StoreId,
    ids_from,
    new_id_bytes,
)
from o2o.ledger.actions.enter_opening_balances import OpeningBalance, enter_opening_balances
from o2o.ledger.actions.open_accounts import open_store_accounts
from o2o.membership.actions.issue_card import TRIES_MAX, CardNumbersExhausted
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.member_code import new_card_no
from o2o.membership.rules.points import points_expire_at

TIMEZONE = "Asia/Shanghai"

_LAST = text(
    "SELECT max(line) AS line, count(*) AS number FROM (SELECT line FROM import_card_rows"
    " WHERE import_id = :id AND line > :cursor AND fault IS NULL ORDER BY line LIMIT :limit) b"
)
# What has come to be since the check: the same phone or card, by another way.
_LEAVE_OUT = text(
    "UPDATE import_card_rows r SET fault = CASE WHEN t.is_card THEN 'card_no_exists'"
    " ELSE 'phone_exists' END FROM ("
    " SELECT x.line, EXISTS (SELECT 1 FROM offline_cards c"
    "  WHERE c.brand_id = :brand_id AND c.card_no = x.card_no) AS is_card,"
    " EXISTS (SELECT 1 FROM members m WHERE m.brand_id = :brand_id AND m.phone = x.phone"
    "  AND m.status = 'active')"
    " OR EXISTS (SELECT 1 FROM member_identities i WHERE i.brand_id = :brand_id"
    "  AND i.kind = 'phone' AND i.value = x.phone) AS is_phone"
    " FROM import_card_rows x WHERE x.import_id = :id AND x.line > :cursor AND x.line <= :last"
    "  AND x.fault IS NULL) t"
    " WHERE r.import_id = :id AND r.line = t.line AND (t.is_card OR t.is_phone) RETURNING r.line"
)
# A card that was opened on a day was opened at noon.
_ROWS = text(
    "SELECT line, store_id, principal_fen, bonus_fen, points,"
    " least((opened_on + time '12:00') AT TIME ZONE :timezone, CAST(:now AS timestamptz)) AS began"
    " FROM import_card_rows WHERE import_id = :id AND line > :cursor AND line <= :last"
    " AND fault IS NULL ORDER BY line"
)
_NUMBERED = (
    "(SELECT line, n, CAST(encode(substring(CAST(:ids AS bytea)"
    " FROM 16 * CAST(n - 1 AS integer) + 1 FOR 16), 'hex') AS uuid) AS id,"
    " CAST(encode(substring(CAST(:member_ids AS bytea)"
    " FROM 16 * CAST(n - 1 AS integer) + 1 FOR 16), 'hex') AS uuid) AS member_id"
    " FROM unnest(CAST(:lines AS bigint[])) WITH ORDINALITY AS l(line, n)) x"
    " JOIN import_card_rows r ON r.import_id = :id AND r.line = x.line"
)
_MEMBERS = text(
    "INSERT INTO members (id, brand_id, tier_id, status, name, phone, home_store_id, joined_at)"
    " SELECT x.member_id, :brand_id, r.tier_id, 'active', r.name, r.phone, r.store_id,"
    " least((r.opened_on + time '12:00') AT TIME ZONE :timezone, CAST(:now AS timestamptz))"
    f" FROM {_NUMBERED} ORDER BY x.n"
)
_OFFLINE_CARDS = text(
    "INSERT INTO offline_cards"
    " (id, brand_id, member_id, card_no, code_hash, status, store_id, created_at)"
    " SELECT x.id, :brand_id, x.member_id, r.card_no, r.code_hash, 'unbound', r.store_id,"
    f" CAST(:now AS timestamptz) FROM {_NUMBERED} ORDER BY x.n"
)
# Another transaction may draw the same number in the meantime: then its key undoes the batch.
_CARDS = text(
    "INSERT INTO cards (id, brand_id, member_id, card_no, status, issued_at)"
    " SELECT id, :brand_id, member_id, card_no, 'active', :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:member_ids AS uuid[]), CAST(:card_nos AS text[]))"
    " AS c(id, member_id, card_no)"
    " WHERE NOT EXISTS (SELECT 1 FROM cards t WHERE t.card_no = c.card_no) RETURNING member_id"
)


async def carry_cards(
    tx: Tx, one: Import, *, card_prefix: str, limit: int, now: datetime
) -> tuple[int, int, bool]:
    """Carry the next rows over; return how many were, how many were left out, and whether all are.

    `one` is locked by the caller and its cursor is moved. Raises CardNumbersExhausted.
    """
    asked = {"id": one.id, "cursor": one.cursor_line}
    last = (await tx.execute(_LAST, asked | {"limit": limit})).one()
    if not last.number:
        return 0, 0, True
    if one.cursor_line == 0:
        await _open_books(tx, one, now=now)
    asked |= {"last": last.line}
    left_out = (await tx.execute(_LEAVE_OUT, asked | {"brand_id": one.brand_id})).all()
    rows = (await tx.execute(_ROWS, asked | {"timezone": TIMEZONE, "now": now})).all()
    if rows:
        await _enter(tx, one, rows, card_prefix=card_prefix, now=now)
    one.cursor_line = last.line
    return len(rows), len(left_out), last.number < limit


async def _open_books(tx: Tx, one: Import, *, now: datetime) -> None:
    stores = await tx.scalars(
        text(
            "SELECT DISTINCT store_id FROM import_card_rows WHERE import_id = :id"
            " AND fault IS NULL ORDER BY store_id"
        ),
        {"id": one.id},
    )
    await open_store_accounts(
        tx, brand_id=BrandId(one.brand_id), store_ids=[StoreId(id_) for id_ in stores], now=now
    )


async def _enter(
    tx: Tx, one: Import, rows: Sequence[Any], *, card_prefix: str, now: datetime
) -> None:
    packed = new_id_bytes(len(rows))
    member_ids = [MemberId(id_) for id_ in ids_from(packed)]
    asked = {
        "id": one.id,
        "brand_id": one.brand_id,
        "lines": [row.line for row in rows],
        "member_ids": packed,
        "now": now,
    }
    await tx.execute(_MEMBERS, asked | {"ids": packed, "timezone": TIMEZONE})
    await _issue_cards(tx, BrandId(one.brand_id), member_ids, card_prefix=card_prefix, now=now)
    await tx.execute(_OFFLINE_CARDS, asked | {"ids": new_id_bytes(len(rows))})
    await _enter_balances(tx, one, rows, member_ids=member_ids, now=now)


async def _issue_cards(
    tx: Tx, brand_id: BrandId, member_ids: Sequence[MemberId], *, card_prefix: str, now: datetime
) -> None:
    """Give each member a random number of the brand; whose number was taken draws again."""
    waiting: Sequence[UUID] = member_ids
    for _ in range(TRIES_MAX):
        drawn = {new_card_no(card_prefix): member_id for member_id in waiting}
        issued = await tx.scalars(
            _CARDS,
            {
                "brand_id": brand_id,
                "now": now,
                "ids": ids_from(new_id_bytes(len(drawn))),
                "member_ids": list(drawn.values()),
                "card_nos": list(drawn),
            },
        )
        have = set(issued)
        waiting = [member_id for member_id in waiting if member_id not in have]
        if not waiting:
            return
    raise CardNumbersExhausted(card_prefix)


async def _enter_balances(
    tx: Tx, one: Import, rows: Sequence[Any], *, member_ids: Sequence[MemberId], now: datetime
) -> None:
    rules = await get_programme(tx, BrandId(one.brand_id))
    await enter_opening_balances(
        tx,
        [
            OpeningBalance(
                _request_id(one.id, row.line),
                member_id,
                row.store_id,
                row.principal_fen,
                row.bonus_fen,
                row.points,
                row.began,
            )
            for row, member_id in zip(rows, member_ids, strict=True)
        ],
        brand_id=BrandId(one.brand_id),
        staff_id=StaffId(one.confirmed_by) if one.confirmed_by else None,
        # What the points have behind them is not in the file: here their life begins.
        points_expire_at=points_expire_at(
            now, valid_months=rules.points_valid_months, timezone=TIMEZONE
        ),
        now=now,
    )


def _request_id(import_id: UUID, line: int) -> RequestId:
    """Name the intention of a row: the import's id, UUIDv8, with the line in its last 32 bits.

    One row, one intention: entered again after whatever happened, it is the same. And in the order
    of lines, so that the index of requests grows at one end.
    """
    assert line < 1 << 32
    number = import_id.int >> 32 << 32 | line
    return RequestId(UUID(int=number & ~(0xF << 76) | 0x8 << 76))
