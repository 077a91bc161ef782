"""Reads for the member's yes to a charge: limits, the day's sum, what was asked and answered."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import ChargeAnswerStatus
from o2o.infra.database import Tx
from o2o.infra.direct import Row, fetch_rows
from o2o.ledger.actions.debit_stored_value import DrawOrder
from o2o.membership.rules.answers import NoPinLimits


class CounterRules(msgspec.Struct, frozen=True):
    """What a brand's programme says about charges."""

    draw_order: DrawOrder
    limits: NoPinLimits


class AskedCharge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that a member is or was asked about."""

    request_id: UUID
    visit_id: UUID
    member_id: UUID
    store_id: UUID
    amount_fen: int
    status: ChargeAnswerStatus
    expires_at: datetime


class WaitingCharge(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as the member is asked about it, or as the pad waits for the answer."""

    request_id: UUID
    visit_id: UUID
    member_id: UUID
    store_name: str
    amount_fen: int
    status: ChargeAnswerStatus
    asked_at: datetime
    expires_at: datetime
    has_pay_pin: bool


_RULES = text(
    "SELECT brand_id, draw_order, no_pin_fen_max, no_pin_daily_fen_max FROM programmes"
    " WHERE brand_id = ANY(CAST(:ids AS uuid[]))"
)
_ASKED = text(
    "SELECT request_id, visit_id, member_id, store_id, amount_fen, status, expires_at"
    " FROM charge_answers WHERE request_id = ANY(CAST(:ids AS uuid[]))"
)
# By visits, of which a member has few a day. What was undone was not spent; what is set aside
# counts until it is given back, and then as much as was sold for it.
_UNANSWERED = text(
    "SELECT w.member_id, sum(CASE h.status WHEN 'posted' THEN h.posted ELSE t.amount END"
    "  - coalesce(r.reversed, 0))::bigint AS spent"
    " FROM unnest(CAST(:member_ids AS uuid[]), CAST(:sinces AS timestamptz[]))"
    "  AS w(member_id, since)"
    " JOIN counter_visits v ON v.member_id = w.member_id"
    "  AND v.opened_at > w.since - interval '5 minutes'"
    " JOIN ledger_transfers t ON t.visit_id = v.id AND t.kind IN ('debit', 'held')"
    "  AND t.created_at >= w.since"
    " LEFT JOIN ledger_holds h ON h.id = t.id"
    " LEFT JOIN ledger_reversals r ON r.transfer_id = coalesce(h.posted_id, t.id)"
    " LEFT JOIN charge_answers a ON a.request_id = t.request_id AND a.status = 'confirmed'"
    " WHERE a.request_id IS NULL AND coalesce(h.status, 'posted') IN ('posted', 'pending')"
    " GROUP BY w.member_id"
)
_WAITING = (
    "SELECT a.request_id, a.visit_id, a.member_id, s.name AS store_name, a.amount_fen, a.status,"
    " a.asked_at, a.expires_at, m.pay_pin_hash IS NOT NULL AS has_pay_pin FROM charge_answers a"
    " JOIN stores s ON s.id = a.store_id JOIN members m ON m.id = a.member_id"
    " JOIN counter_visits v ON v.id = a.visit_id"
)
_OF_MEMBER = text(
    f"{_WAITING} WHERE a.member_id = :member_id AND a.status = 'asked' AND a.expires_at > :now"
    " AND v.closed_at IS NULL AND (CAST(:request_id AS uuid) IS NULL OR a.request_id = :request_id)"
    " ORDER BY a.asked_at DESC LIMIT 5"
)
_OF_PAD = text(
    f"{_WAITING} WHERE a.request_id = :request_id AND a.visit_id = :visit_id"
    " AND v.pad_id = :pad_id AND v.closed_at IS NULL AND v.expires_at > :now"
)


async def list_counter_rules(tx: Tx, brand_ids: set[UUID]) -> dict[UUID, CounterRules]:
    """Return the rules of these brands."""
    if not brand_ids:
        return {}
    rows = await tx.execute(_RULES, {"ids": sorted(brand_ids)})
    return {
        row.brand_id: CounterRules(
            DrawOrder(row.draw_order), NoPinLimits(row.no_pin_fen_max, row.no_pin_daily_fen_max)
        )
        for row in rows
    }


async def list_asked_charges(tx: Tx, request_ids: Sequence[UUID]) -> dict[UUID, AskedCharge]:
    """Return what members were asked about these requests."""
    rows = await tx.execute(_ASKED, {"ids": list(request_ids)})
    return {
        row.request_id: AskedCharge(
            request_id=row.request_id,
            visit_id=row.visit_id,
            member_id=row.member_id,
            store_id=row.store_id,
            amount_fen=row.amount_fen,
            status=ChargeAnswerStatus(row.status),
            expires_at=row.expires_at,
        )
        for row in rows
    }


async def sum_unanswered(tx: Tx, since: dict[UUID, datetime]) -> dict[UUID, int]:
    """Return what each member was charged in visits since then without having said yes, in fen."""
    rows = await tx.execute(
        _UNANSWERED, {"member_ids": list(since), "sinces": list(since.values())}
    )
    return {row.member_id: row.spent for row in rows}


async def list_waiting_charges(
    tx: Tx, *, member_id: UUID, now: datetime, request_id: UUID | None = None
) -> list[WaitingCharge]:
    """Return the charges that wait for this member's answer, newest first."""
    asked = {"member_id": member_id, "now": now, "request_id": request_id}
    return [_waiting(row) for row in await fetch_rows(tx, _OF_MEMBER, asked)]


async def find_charge_of_pad(
    tx: Tx, request_id: UUID, *, visit_id: UUID, pad_id: UUID, now: datetime
) -> WaitingCharge | None:
    """Return a charge asked about in a live visit of this pad, answered or not."""
    asked = {"request_id": request_id, "visit_id": visit_id, "pad_id": pad_id, "now": now}
    rows = await fetch_rows(tx, _OF_PAD, asked)
    return _waiting(rows[0]) if rows else None


def _waiting(row: Row) -> WaitingCharge:
    return msgspec.convert(dict(row), type=WaitingCharge)
