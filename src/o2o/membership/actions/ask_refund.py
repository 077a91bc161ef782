"""A member asks on the phone to have principal back, or takes the wish back."""

import re
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text, update

from o2o.crm.privacy import RefundRequest
from o2o.crm.statuses import RefundPayout, RefundStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.ids import BrandId, MemberId, RequestId, TransferId
from o2o.kernel.text import fold_width, without_controls
from o2o.ledger.queries.refunds import quote_refunds
from o2o.membership.errors_refunds import (
    RefundAlreadyAsked,
    RefundEnded,
    RefundNothingLeft,
    RefundPayeeIncomplete,
    RefundRequestNotFound,
)
from o2o.membership.moves import REFUND_MOVES
from o2o.membership.queries.counter import lock_members
from o2o.membership.queries.pass_on import get_store_of_value
from o2o.membership.queries.programmes import get_programme
from o2o.membership.queries.refund_requests import list_open_refund_wishes, lock_refund_request

TEXT_CHARS_MAX = 60
_ACCOUNT_NO = re.compile(r"[0-9]{8,32}", re.ASCII)

_INSERT = text(
    "INSERT INTO refund_requests (id, brand_id, member_id, top_up_id, store_id, payout,"
    " is_by_right, quoted_fen, payee_sealed, status, asked_at)"
    " VALUES (:id, :brand_id, :member_id, :top_up_id, :store_id, :payout, :is_by_right,"
    " :quoted_fen, :payee_sealed, 'asked', :now)"
)


class Payee(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bank transfer goes."""

    name: str
    bank: str
    account_no: str


class _Due(msgspec.Struct, frozen=True, kw_only=True):
    refund_fen: int
    store_id: UUID
    is_by_right: bool


def parse_payee(*, name: str, bank: str, account_no: str) -> Payee:
    """Read what a member typed. Raises RefundPayeeIncomplete."""
    number = re.sub(r"[\s-]", "", fold_width(account_no))
    named, at = (" ".join(without_controls(text).split()) for text in (name, bank))
    is_whole = 0 < len(named) <= TEXT_CHARS_MAX and 0 < len(at) <= TEXT_CHARS_MAX
    if not is_whole or not _ACCOUNT_NO.fullmatch(number):
        raise RefundPayeeIncomplete
    return Payee(name=named, bank=at, account_no=number)


def payee_label(refund_id: UUID) -> str:
    """Name the place that a sealed payee belongs to."""
    return f"refund_request:{refund_id}"


async def ask_refund(
    tx: Tx,
    *,
    request_id: RequestId,
    member_id: UUID,
    brand_id: UUID,
    top_up_id: TransferId | None,
    payee: Payee | None,
    seal: Seal,
    now: datetime,
) -> UUID:
    """Keep the wish for one top-up's principal, or for all of it; nothing moves yet.

    With a payee the money goes to a bank account, else it is paid in a store. Sent again, it is
    the same wish. Raises RefundNothingLeft, RefundAlreadyAsked, RequestBodyDiffers.
    """
    await lock_members(tx, {member_id})
    payout = RefundPayout.BANK if payee else RefundPayout.COUNTER
    earlier = await tx.get(RefundRequest, request_id)
    if earlier is not None:
        asked = (earlier.member_id, earlier.top_up_id, earlier.payout)
        if asked != (member_id, top_up_id, payout):
            raise RequestBodyDiffers(request_id=str(request_id))
        return earlier.id
    waiting = await list_open_refund_wishes(tx, member_id)
    # All of it is also this one, and this one is also a part of all.
    if any(top_up_id in {None, wish.top_up_id} or wish.top_up_id is None for wish in waiting):
        raise RefundAlreadyAsked
    due = await _due(tx, member_id, brand_id=brand_id, top_up_id=top_up_id, now=now)
    sealed = msgspec.json.encode(payee).decode() if payee else None
    await tx.execute(
        _INSERT,
        {
            "id": request_id,
            "brand_id": brand_id,
            "member_id": member_id,
            "top_up_id": top_up_id,
            "store_id": due.store_id,
            "payout": payout.value,
            "is_by_right": due.is_by_right,
            "quoted_fen": due.refund_fen,
            "payee_sealed": seal.seal(sealed, label=payee_label(request_id)) if sealed else None,
            "now": now,
        },
    )
    await _note(tx, member_id, "refund.asked", now=now, amount_fen=due.refund_fen)
    return request_id


async def withdraw_refund(tx: Tx, *, refund_id: UUID, member_id: UUID, now: datetime) -> None:
    """Take a wish back. Raises RefundRequestNotFound for another member's, RefundEnded."""
    await lock_members(tx, {member_id})
    wish = await lock_refund_request(tx, refund_id)
    if wish.member_id != member_id:
        raise RefundRequestNotFound
    if wish.status is RefundStatus.WITHDRAWN:
        return
    await end_refund(tx, wish, status=RefundStatus.WITHDRAWN, now=now)
    await _note(tx, member_id, "refund.withdrawn", amount_fen=wish.quoted_fen, now=now)


async def end_refund(
    tx: Tx,
    wish: RefundRequest,
    *,
    status: RefundStatus,
    now: datetime,
    staff_id: UUID | None = None,
    refusal: str | None = None,
    transfer_id: UUID | None = None,
) -> None:
    """Write down how a locked wish ended; where the money was to go is forgotten.

    Raises RefundEnded.
    """
    ended = await tx.execute(
        update(RefundRequest)
        .where(
            RefundRequest.id == wish.id, RefundRequest.status.in_(REFUND_MOVES.sources_of(status))
        )
        .values(
            status=status,
            ended_at=now,
            ended_by=staff_id,
            refusal=refusal,
            transfer_id=transfer_id,
            payee_sealed=None,
        )
        .returning(RefundRequest.id)
    )
    if ended.first() is None:
        raise RefundEnded


async def _due(
    tx: Tx, member_id: UUID, *, brand_id: UUID, top_up_id: TransferId | None, now: datetime
) -> _Due:
    """Say what the calculator says. Raises RefundNothingLeft."""
    quote = await quote_refunds(tx, MemberId(member_id), now=now)
    lines = [
        line for line in quote.lines if line.refund_fen > 0 and top_up_id in {None, line.top_up_id}
    ]
    if not lines:
        raise RefundNothingLeft
    programme = await get_programme(tx, BrandId(brand_id))
    has_ended = programme.ended_at is not None and programme.ended_at <= now
    latest = max(lines, key=lambda line: line.at)
    return _Due(
        refund_fen=sum(line.refund_fen for line in lines),
        # What two people gave by a correction no store sold.
        store_id=latest.store_id or await get_store_of_value(tx, member_id),
        is_by_right=has_ended or all(line.is_without_reason for line in lines),
    )


async def _note(tx: Tx, member_id: UUID, action: str, *, amount_fen: int, now: datetime) -> None:
    await note(
        tx,
        actor=Actor("member", member_id),
        action=action,
        at=now,
        subject=("member", member_id),
        amount_fen=amount_fen,
    )
