"""Carry checked rows of cards over, a batch at a time: members, cards, opening balances.

The cursor moves in the transaction of the rows, so that whoever goes on after a kill begins where
the last commit ended. Rows go from table to table inside the database; here come only their
lines, their amounts and the ids they get.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
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
from o2o.membership.rules.member_code import new_card_nos
from o2o.membership.rules.points import points_expire_at

TIMEZONE = "Asia/Shanghai"

_STRETCHES = text(
    "SELECT max(line) AS last FROM (SELECT line, (row_number() OVER (ORDER BY line) - 1)"
    " / CAST(:limit AS bigint) AS stretch FROM import_card_rows WHERE import_id = :id"
    " AND line > :cursor AND fault IS NULL ORDER BY line LIMIT CAST(:limit AS bigint) * :most) b"
    " GROUP BY stretch ORDER BY last"
)
# What has come to be since the check: the same phone or card, by another way. Each is looked up by
# an index: a subquery that is compared with NULL is never made a walk through all members.
_CARD_IS_THERE = (
    "(SELECT c.id FROM offline_cards c WHERE c.brand_id = :brand_id AND c.card_no = r.card_no)"
    " IS NOT NULL"
)
_PHONE_IS_THERE = (
    "(SELECT m.id FROM members m WHERE m.brand_id = :brand_id AND m.phone = r.phone"
    " AND m.status = 'active' LIMIT 1) IS NOT NULL"
    " OR (SELECT i.member_id FROM member_identities i WHERE i.brand_id = :brand_id"
    " AND i.kind = 'phone' AND i.value = r.phone LIMIT 1) IS NOT NULL"
)
_OF_STRETCH = (
    "r.import_id = :id AND r.line > CAST(:cursor AS bigint) AND r.line <= CAST(:last AS bigint)"
    " AND r.fault IS NULL"
)
_LEAVE_OUT = text(
    f"UPDATE import_card_rows r SET fault = CASE WHEN {_CARD_IS_THERE} THEN 'card_no_exists'"  # noqa: S608 - our own pieces
    f" ELSE 'phone_exists' END WHERE {_OF_STRETCH} AND ({_CARD_IS_THERE} OR {_PHONE_IS_THERE})"
    " RETURNING r.line"
)
# A card that was opened on a day was opened at noon.
_ROWS = text(
    "SELECT line, store_id, principal_fen, bonus_fen, points,"  # noqa: S608 - our own pieces
    " least((opened_on + time '12:00') AT TIME ZONE :timezone, CAST(:now AS timestamptz)) AS began"
    f" FROM import_card_rows r WHERE {_OF_STRETCH} ORDER BY line"
)


def _id_at(parameter: str) -> str:
    """Cut the n-th id from a string of bytes: as an array of objects ids cost more than rows."""
    place = "FROM 16 * CAST(n - 1 AS integer) + 1 FOR 16"
    return f"CAST(encode(substring(CAST(:{parameter} AS bytea) {place}), 'hex') AS uuid)"


_NUMBERED = (
    "(SELECT line, n,"  # noqa: S608 - our own pieces
    f" {_id_at('ids')} AS id, {_id_at('member_ids')} AS member_id"
    " FROM unnest(CAST(:lines AS bigint[])) WITH ORDINALITY AS l(line, n)) x"
    f" JOIN import_card_rows r ON r.line = x.line AND {_OF_STRETCH}"
)
_MEMBERS = text(
    "INSERT INTO members"  # noqa: S608 - our own pieces
    " (id, brand_id, tier_id, status, name, phone, home_store_id, joined_at)"
    " SELECT x.member_id, :brand_id, r.tier_id, 'active', r.name, r.phone, r.store_id,"
    " least((r.opened_on + time '12:00') AT TIME ZONE :timezone, CAST(:now AS timestamptz))"
    f" FROM {_NUMBERED} ORDER BY x.n"
)
_OFFLINE_CARDS = text(
    "INSERT INTO offline_cards"  # noqa: S608 - our own pieces
    " (id, brand_id, member_id, card_no, code_hash, status, store_id, created_at)"
    " SELECT x.id, :brand_id, x.member_id, r.card_no, r.code_hash, 'unbound', r.store_id,"
    f" CAST(:now AS timestamptz) FROM {_NUMBERED} ORDER BY x.n"
)
# Another transaction may draw the same number in the meantime: then its key undoes the batch.
_CARDS = text(
    "INSERT INTO cards (id, brand_id, member_id, card_no, status, issued_at)"  # noqa: S608
    f" SELECT {_id_at('ids')}, :brand_id, {_id_at('member_ids')}, card_no, 'active', :now"
    " FROM unnest(CAST(:card_nos AS text[])) WITH ORDINALITY AS c(card_no, n)"
    " WHERE (SELECT t.id FROM cards t WHERE t.card_no = c.card_no) IS NULL RETURNING card_no"
)
# The same again when it is our turn: each phone must be of one member, whom we just entered.
_OVERTAKEN = text(
    f"SELECT EXISTS (SELECT 1 FROM import_card_rows r WHERE {_OF_STRETCH}"  # noqa: S608
    " AND r.phone IS NOT NULL AND ("
    " (SELECT count(*) FROM members m WHERE m.brand_id = :brand_id AND m.phone = r.phone"
    "  AND m.status = 'active') > 1"
    " OR (SELECT i.member_id FROM member_identities i WHERE i.brand_id = :brand_id"
    "  AND i.kind = 'phone' AND i.value = r.phone LIMIT 1) IS NOT NULL))"
)


class Numbers(NamedTuple):
    """From which card numbers of a brand to draw: those of one share of so many."""

    prefix: str
    share: int = 0
    of: int = 1


class Stretch(NamedTuple):
    """Rows of a file to be carried over together: those behind one line, up to another."""

    cursor: int
    last: int


async def next_stretches(tx: Tx, one: Import, *, limit: int, most: int) -> list[Stretch]:
    """Return the next stretches, of at most `limit` rows each."""
    asked = {"id": one.id, "cursor": one.cursor_line, "limit": limit, "most": most}
    lasts = (await tx.scalars(_STRETCHES, asked)).all()
    return [
        Stretch(cursor, last)
        for cursor, last in zip([one.cursor_line, *lasts], lasts, strict=False)
    ]


async def carry_cards(
    tx: Tx, one: Import, stretch: Stretch, *, numbers: Numbers, now: datetime
) -> tuple[int, int]:
    """Carry a stretch over; return how many rows were, and how many were left out.

    The accounts of the file's stores are open. Raises CardNumbersExhausted.
    """
    asked = {"id": one.id, **stretch._asdict()}
    left_out = (await tx.execute(_LEAVE_OUT, asked | {"brand_id": one.brand_id})).all()
    rows = (await tx.execute(_ROWS, asked | {"timezone": TIMEZONE, "now": now})).all()
    if rows:
        await _enter(tx, one, rows, stretch=stretch, numbers=numbers, now=now)
    return len(rows), len(left_out)


async def is_overtaken(tx: Tx, one: Import, stretch: Stretch) -> bool:
    """Whether somebody else has come to have a phone of a stretch since it was carried over."""
    asked = {"id": one.id, "brand_id": one.brand_id, **stretch._asdict()}
    return bool(await tx.scalar(_OVERTAKEN, asked))


async def open_books(tx: Tx, one: Import, *, now: datetime) -> None:
    """Open the accounts of the stores that a file names, and of the brand."""
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
    tx: Tx,
    one: Import,
    rows: Sequence[Any],
    *,
    stretch: Stretch,
    numbers: Numbers,
    now: datetime,
) -> None:
    member_ids = new_id_bytes(len(rows))
    asked = {
        "id": one.id,
        **stretch._asdict(),
        "brand_id": one.brand_id,
        "lines": [row.line for row in rows],
        "member_ids": member_ids,
        "now": now,
    }
    await tx.execute(_MEMBERS, asked | {"ids": member_ids, "timezone": TIMEZONE})
    await _issue_cards(tx, BrandId(one.brand_id), member_ids, numbers=numbers, now=now)
    await tx.execute(_OFFLINE_CARDS, asked | {"ids": new_id_bytes(len(rows))})
    await _enter_balances(tx, one, rows, member_ids=ids_from(member_ids), now=now)


async def _issue_cards(
    tx: Tx, brand_id: BrandId, member_ids: bytes, *, numbers: Numbers, now: datetime
) -> None:
    """Give each member a random number of the brand; whose number was taken draws again."""
    for _ in range(TRIES_MAX):
        wanting = [member_ids[at : at + 16] for at in range(0, len(member_ids), 16)]
        # A number that was drawn a moment ago falls to the later member; the other draws again.
        drawn = dict(
            zip(
                new_card_nos(numbers.prefix, len(wanting), share=numbers.share, of=numbers.of),
                wanting,
                strict=True,
            )
        )
        issued = await tx.scalars(
            _CARDS,
            {
                "brand_id": brand_id,
                "now": now,
                "ids": new_id_bytes(len(drawn)),
                "member_ids": b"".join(drawn.values()),
                "card_nos": list(drawn),
            },
        )
        have = {drawn[card_no] for card_no in issued}
        member_ids = b"".join(id_ for id_ in wanting if id_ not in have)
        if not member_ids:
            return
    raise CardNumbersExhausted(numbers.prefix)


async def _enter_balances(
    tx: Tx, one: Import, rows: Sequence[Any], *, member_ids: Sequence[UUID], now: datetime
) -> None:
    rules = await get_programme(tx, BrandId(one.brand_id))
    await enter_opening_balances(
        tx,
        [
            OpeningBalance(
                _request_id(one.id, row.line),
                MemberId(member_id),
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
