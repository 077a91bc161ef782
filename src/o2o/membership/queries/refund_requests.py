"""Refunds that members asked for: of one member, and those that wait for somebody to pay them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from o2o.crm.privacy import RefundRequest
from o2o.crm.statuses import RefundPayout, RefundStatus
from o2o.infra.database import Tx
from o2o.membership.errors_refunds import RefundRequestNotFound

LISTED_MAX = 200


class RefundWish(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as its member and whoever pays it out see it. Amounts in fen."""

    id: UUID
    member_id: UUID
    brand_id: UUID
    top_up_id: UUID | None
    store_id: UUID
    store_name: str
    timezone: str
    member_name: str | None
    card_no: str | None
    payout: RefundPayout
    is_by_right: bool
    quoted_fen: int
    payee_sealed: bytes | None
    status: RefundStatus
    refusal: str | None
    asked_at: datetime
    ended_at: datetime | None


_WISHES = (
    "SELECT r.id, r.member_id, r.brand_id, r.top_up_id, r.store_id, s.name AS store_name,"
    " s.timezone, m.name AS member_name, c.card_no, r.payout, r.is_by_right, r.quoted_fen,"
    " r.payee_sealed, r.status, r.refusal, r.asked_at, r.ended_at FROM refund_requests r"
    " JOIN stores s ON s.id = r.store_id JOIN members m ON m.id = r.member_id"
    " LEFT JOIN cards c ON c.member_id = r.member_id AND c.status = 'active'"
)
_OF_MEMBER = text(f"{_WISHES} WHERE r.member_id = :member_id ORDER BY r.asked_at DESC LIMIT :most")
_OPEN_OF_MEMBER = text(
    f"{_WISHES} WHERE r.member_id = :member_id AND r.status = 'asked' ORDER BY r.asked_at"
)
_OPEN = text(
    f"{_WISHES} WHERE r.brand_id = :brand_id AND r.status = 'asked'"
    " AND (CAST(:store_ids AS uuid[]) IS NULL OR r.store_id = ANY(CAST(:store_ids AS uuid[])))"
    " ORDER BY r.asked_at LIMIT :most"
)
_ENDED = text(
    f"{_WISHES} WHERE r.brand_id = :brand_id AND r.status <> 'asked'"
    " AND (CAST(:store_ids AS uuid[]) IS NULL OR r.store_id = ANY(CAST(:store_ids AS uuid[])))"
    " ORDER BY r.ended_at DESC LIMIT :most"
)


async def list_refund_wishes(tx: Tx, member_id: UUID, *, limit: int = 20) -> list[RefundWish]:
    """Return what a member asked for, latest first."""
    return await _list(tx, _OF_MEMBER, member_id=member_id, most=limit)


async def list_open_refund_wishes(tx: Tx, member_id: UUID) -> list[RefundWish]:
    """Return what a member waits for."""
    return await _list(tx, _OPEN_OF_MEMBER, member_id=member_id)


async def list_due_refunds(
    tx: Tx, *, brand_id: UUID, store_ids: Collection[UUID] | None
) -> list[RefundWish]:
    """Return what waits in a brand, oldest first; `store_ids` None is every store."""
    return await _list(tx, _OPEN, brand_id=brand_id, store_ids=_ids(store_ids), most=LISTED_MAX)


async def list_ended_refunds(
    tx: Tx, *, brand_id: UUID, store_ids: Collection[UUID] | None, limit: int = 20
) -> list[RefundWish]:
    """Return what was paid, refused or withdrawn last."""
    return await _list(tx, _ENDED, brand_id=brand_id, store_ids=_ids(store_ids), most=limit)


async def lock_refund_request(tx: Tx, refund_id: UUID) -> RefundRequest:
    """Row lock until the transaction ends. Raises RefundRequestNotFound."""
    found: RefundRequest | None = await tx.scalar(
        select(RefundRequest).where(RefundRequest.id == refund_id).with_for_update()
    )
    if found is None:
        raise RefundRequestNotFound
    return found


async def find_refund_owner(tx: Tx, refund_id: UUID) -> UUID | None:
    """Return whose wish that is."""
    found: UUID | None = await tx.scalar(
        select(RefundRequest.member_id).where(RefundRequest.id == refund_id)
    )
    return found


def _ids(store_ids: Collection[UUID] | None) -> list[UUID] | None:
    return None if store_ids is None else sorted(store_ids)


async def _list(tx: Tx, statement: Any, **values: Any) -> list[RefundWish]:
    rows = await tx.execute(statement, values)
    return [
        RefundWish(
            **{
                **row._mapping,  # noqa: SLF001 - the public way to a row's names
                "payout": RefundPayout(row.payout),
                "status": RefundStatus(row.status),
                "payee_sealed": bytes(row.payee_sealed) if row.payee_sealed else None,
            }
        )
        for row in rows
    ]
