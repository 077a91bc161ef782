"""Carry checked rows of cards over, a batch at a time: members, cards, opening balances.

The cursor moves in the transaction of the rows, so that whoever goes on after a kill begins where
the last commit ended. Statements are set-based, whatever the size of the batch.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import text

from o2o.crm.imports import Import
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, RequestId, StaffId, StoreId, new_id
from o2o.ledger.actions.enter_opening_balances import OpeningBalance, enter_opening_balances
from o2o.ledger.actions.open_accounts import open_member_accounts, open_store_accounts
from o2o.membership.actions.issue_card import TRIES_MAX, CardNumbersExhausted
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.member_code import new_card_no
from o2o.membership.rules.points import points_expire_at

TIMEZONE = "Asia/Shanghai"
OPENED_AT = time(12, tzinfo=ZoneInfo(TIMEZONE))

_ROWS = text(
    "SELECT line, card_no, code_hash, name, phone, principal_fen, bonus_fen, points, tier_id,"
    " store_id, opened_on FROM import_card_rows"
    " WHERE import_id = :id AND line > :cursor AND fault IS NULL ORDER BY line LIMIT :limit"
)
# What has come to be since the check: the same phone or card, by another way.
_TAKEN = text(
    "UPDATE import_card_rows r SET fault = CASE WHEN t.is_card THEN 'card_no_exists'"
    " ELSE 'phone_exists' END FROM ("
    " SELECT x.line, EXISTS (SELECT 1 FROM offline_cards c"
    "  WHERE c.brand_id = :brand_id AND c.card_no = x.card_no) AS is_card,"
    " EXISTS (SELECT 1 FROM members m WHERE m.brand_id = :brand_id AND m.phone = x.phone"
    "  AND m.status = 'active')"
    " OR EXISTS (SELECT 1 FROM member_identities i WHERE i.brand_id = :brand_id"
    "  AND i.kind = 'phone' AND i.value = x.phone) AS is_phone"
    " FROM unnest(CAST(:lines AS bigint[]), CAST(:card_nos AS text[]), CAST(:phones AS text[]))"
    " AS x(line, card_no, phone)) t"
    " WHERE r.import_id = :id AND r.line = t.line AND (t.is_card OR t.is_phone) RETURNING r.line"
)
_MEMBERS = text(
    "INSERT INTO members (id, brand_id, tier_id, status, name, phone, home_store_id, joined_at)"
    " SELECT id, :brand_id, tier_id, 'active', name, phone, store_id, joined_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:tier_ids AS uuid[]), CAST(:names AS text[]),"
    " CAST(:phones AS text[]), CAST(:store_ids AS uuid[]), CAST(:joined_ats AS timestamptz[]))"
    " AS m(id, tier_id, name, phone, store_id, joined_at)"
)
_CARDS = text(
    "INSERT INTO cards (id, brand_id, member_id, card_no, status, issued_at)"
    " SELECT id, :brand_id, member_id, card_no, 'active', :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:member_ids AS uuid[]), CAST(:card_nos AS text[]))"
    " AS c(id, member_id, card_no)"
    " ON CONFLICT (card_no) DO NOTHING RETURNING member_id"
)
_OFFLINE_CARDS = text(
    "INSERT INTO offline_cards"
    " (id, brand_id, member_id, card_no, code_hash, status, store_id, created_at)"
    " SELECT id, :brand_id, member_id, card_no, code_hash, 'unbound', store_id, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:member_ids AS uuid[]), CAST(:card_nos AS text[]),"
    " CAST(:code_hashes AS bytea[]), CAST(:store_ids AS uuid[]))"
    " AS c(id, member_id, card_no, code_hash, store_id)"
)


async def carry_cards(
    tx: Tx, one: Import, *, card_prefix: str, limit: int, now: datetime
) -> tuple[int, int, bool]:
    """Carry the next rows over; return how many were, how many were left out, and whether all are.

    `one` is locked by the caller and its cursor is moved. Raises CardNumbersExhausted.
    """
    rows = (
        await tx.execute(_ROWS, {"id": one.id, "cursor": one.cursor_line, "limit": limit})
    ).all()
    if not rows:
        return 0, 0, True
    if one.cursor_line == 0:
        await _open_books(tx, one, now=now)
    taken = await _taken(tx, one, rows)
    free = [row for row in rows if row.line not in taken]
    if free:
        await _enter(tx, one, free, card_prefix=card_prefix, now=now)
    one.cursor_line = rows[-1].line
    return len(free), len(taken), len(rows) < limit


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


async def _taken(tx: Tx, one: Import, rows: Sequence[Any]) -> set[int]:
    found = await tx.execute(
        _TAKEN,
        {
            "id": one.id,
            "brand_id": one.brand_id,
            "lines": [row.line for row in rows],
            "card_nos": [row.card_no for row in rows],
            "phones": [row.phone for row in rows],
        },
    )
    return {row.line for row in found}


async def _enter(
    tx: Tx, one: Import, rows: Sequence[Any], *, card_prefix: str, now: datetime
) -> None:
    member_ids = [MemberId(new_id()) for _ in rows]
    brand_id = BrandId(one.brand_id)
    began = [_began(row.opened_on, now) for row in rows]
    await tx.execute(
        _MEMBERS,
        {
            "brand_id": brand_id,
            "ids": member_ids,
            "tier_ids": [row.tier_id for row in rows],
            "names": [row.name for row in rows],
            "phones": [row.phone for row in rows],
            "store_ids": [row.store_id for row in rows],
            "joined_ats": began,
        },
    )
    await _issue_cards(tx, brand_id, member_ids, card_prefix=card_prefix, now=now)
    await tx.execute(
        _OFFLINE_CARDS,
        {
            "brand_id": brand_id,
            "now": now,
            "ids": [new_id() for _ in rows],
            "member_ids": member_ids,
            "card_nos": [row.card_no for row in rows],
            "code_hashes": [row.code_hash for row in rows],
            "store_ids": [row.store_id for row in rows],
        },
    )
    await open_member_accounts(tx, brand_id=brand_id, member_ids=member_ids, now=now)
    await _enter_balances(tx, one, list(zip(rows, member_ids, began, strict=True)), now=now)


async def _issue_cards(
    tx: Tx, brand_id: BrandId, member_ids: Sequence[MemberId], *, card_prefix: str, now: datetime
) -> None:
    """Give each member a random number of the brand; whose number was taken draws again."""
    waiting = set(member_ids)
    for _ in range(TRIES_MAX):
        drawn = {new_card_no(card_prefix): member_id for member_id in sorted(waiting)}
        issued = await tx.execute(
            _CARDS,
            {
                "brand_id": brand_id,
                "now": now,
                "ids": [new_id() for _ in drawn],
                "member_ids": list(drawn.values()),
                "card_nos": list(drawn),
            },
        )
        waiting -= {row.member_id for row in issued}
        if not waiting:
            return
    raise CardNumbersExhausted(card_prefix)


async def _enter_balances(
    tx: Tx, one: Import, entered: Sequence[tuple[Any, MemberId, datetime]], *, now: datetime
) -> None:
    rules = await get_programme(tx, BrandId(one.brand_id))
    # What the points have behind them is not in the file: here their life begins.
    expires_at = points_expire_at(now, valid_months=rules.points_valid_months, timezone=TIMEZONE)
    commands = [
        OpeningBalance(
            # One row, one intention: entered again after whatever happened, it is the same.
            request_id=RequestId(uuid5(one.id, str(row.line))),
            member_id=member_id,
            store_id=StoreId(row.store_id),
            now=now,
            staff_id=StaffId(one.confirmed_by) if one.confirmed_by else None,
            principal_fen=row.principal_fen,
            bonus_fen=row.bonus_fen,
            points=row.points,
            granted_at=began,
            expires_at=expires_at,
        )
        for row, member_id, began in entered
        if row.principal_fen or row.bonus_fen or row.points
    ]
    if not commands:
        return
    for outcome in await enter_opening_balances(tx, commands):
        # The rows were checked; a refusal is a defect and undoes the batch.
        if isinstance(outcome, Fact):
            raise outcome


def _began(opened_on: date | None, now: datetime) -> datetime:
    if opened_on is None:
        return now
    return min(datetime.combine(opened_on, OPENED_AT).astimezone(UTC), now)
