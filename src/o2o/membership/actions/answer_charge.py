"""The member's answer to a charge above the limits: yes lets it happen once, no ends it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.crm.statuses import ChargeAnswerStatus, ChargeAnswerVia
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import send
from o2o.membership.errors_counter import ChargeNotAsked
from o2o.membership.moves_counter import CHARGE_ANSWER_MOVES

_ANSWER = text(
    "UPDATE charge_answers a SET status = :status, answered_at = :now, answered_via = :via"
    " FROM counter_visits v"
    " WHERE a.request_id = :request_id AND a.member_id = :member_id"
    " AND a.status = ANY(CAST(:from_statuses AS text[]))"
    " AND a.expires_at > :now AND v.id = a.visit_id AND v.closed_at IS NULL"
    " RETURNING a.visit_id, a.store_id, a.amount_fen, v.pad_id"
)
_STANDS = text(
    "SELECT status FROM charge_answers WHERE request_id = :request_id AND member_id = :member_id"
)


async def confirm_charge(
    tx: Tx,
    *,
    request_id: UUID,
    member_id: UUID,
    via: ChargeAnswerVia = ChargeAnswerVia.PHONE,
    now: datetime,
) -> None:
    """Let the charge happen, while its visit lives. Twice changes nothing.

    Raises ChargeNotAsked, also for another member's charge and after a no.
    """
    status = ChargeAnswerStatus.CONFIRMED
    await _answer(tx, status, request_id=request_id, member_id=member_id, via=via, now=now)


async def refuse_charge(tx: Tx, *, request_id: UUID, member_id: UUID, now: datetime) -> None:
    """Say no to the charge, for ever. Twice changes nothing. Raises ChargeNotAsked."""
    status, via = ChargeAnswerStatus.REFUSED, ChargeAnswerVia.PHONE
    await _answer(tx, status, request_id=request_id, member_id=member_id, via=via, now=now)


async def _answer(
    tx: Tx,
    status: ChargeAnswerStatus,
    *,
    request_id: UUID,
    member_id: UUID,
    via: ChargeAnswerVia,
    now: datetime,
) -> None:
    asked = {"request_id": request_id, "member_id": member_id}
    answered = {
        **asked,
        "status": status.value,
        "from_statuses": sorted(CHARGE_ANSWER_MOVES.sources_of(status)),
        "via": via.value,
        "now": now,
    }
    row = (await tx.execute(_ANSWER, answered)).first()
    if row is None:
        if await tx.scalar(_STANDS, asked) == status.value:
            return
        raise ChargeNotAsked
    if row.pad_id is not None:
        told = {"request_id": str(request_id), "status": status.value}
        await send(tx, [live_push(f"pad:{row.pad_id}", "charge_answered", told)], now=now)
    await note(
        tx,
        actor=Actor("member", member_id),
        action=f"charge.{status.value}",
        at=now,
        subject=("visit", row.visit_id),
        store_id=row.store_id,
        amount_fen=row.amount_fen,
        via=via.value,
    )
