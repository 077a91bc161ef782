"""Decide on a correction: finance approves it and it is carried out at once, or rejects it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from o2o.crm.adjustments import Adjustment
from o2o.crm.statuses import ProposalStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, MemberId, RequestId, StaffId, StoreId
from o2o.kernel.text import without_controls
from o2o.ledger.actions.adjust_balance import AdjustBalance, Adjusted, adjust_balance
from o2o.ledger.actions.top_up_stored_value import prepaid_limit_fen
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_programme import (
    AdjustmentAlreadyDecided,
    AdjustmentExpired,
    OwnProposal,
    ReasonMissing,
)
from o2o.membership.events import AdjustmentDecided
from o2o.membership.queries.adjustments import Survivor, find_survivor, lock_adjustment
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.adjustments import DECIDERS, PROPOSAL_MOVES, is_reason_given
from o2o.membership.rules.points import points_expire_at

# A correction need not belong to a store; its points end with a month of the brand's customers.
ZONE_OF_POINTS = "Asia/Shanghai"


async def approve_adjustment(
    tx: Tx, adjustment_id: UUID, *, brand_id: UUID, staff_id: UUID, now: datetime
) -> None:
    """Approve a proposal and move what it asks for. By the same person again changes nothing.

    Raises AdjustmentNotFound, RoleMissing, OwnProposal, AdjustmentAlreadyDecided,
    AdjustmentExpired, MemberNotFound, BalanceLimitExceeded, and the ledger's InsufficientBalance
    and InsufficientPoints, after which the proposal is still open. Publishes adjustment.approved.
    """
    found = await _lock(tx, adjustment_id, brand_id=brand_id, staff_id=staff_id)
    if found.status is ProposalStatus.APPROVED and found.decided_by == staff_id:
        return
    _check_open(found, now=now)
    member = await find_survivor(tx, found.member_id)
    if member is None or not member.is_active:
        raise MemberNotFound(member_id=found.member_id)
    adjusted = await _carry_out(tx, found, member, staff_id=staff_id, now=now)
    await _decide(
        tx,
        found,
        to=ProposalStatus.APPROVED,
        staff_id=staff_id,
        now=now,
        transfer_id=adjusted.transfer_id,
    )
    await publish(
        tx,
        AdjustmentDecided(
            adjustment_id=found.id,
            member_id=MemberId(member.member_id),
            brand_id=BrandId(brand_id),
            asset=found.asset.value,
            delta=found.delta,
            balance=adjusted.balance,
            at=now,
        ),
        now=now,
    )


async def reject_adjustment(
    tx: Tx, adjustment_id: UUID, *, brand_id: UUID, staff_id: UUID, why: str, now: datetime
) -> None:
    """Reject a proposal, with a reason for whoever made it. By the same person again: nothing.

    Raises AdjustmentNotFound, RoleMissing, OwnProposal, ReasonMissing, AdjustmentAlreadyDecided,
    AdjustmentExpired.
    """
    why = without_controls(why).strip()
    if not is_reason_given(why):
        raise ReasonMissing
    found = await _lock(tx, adjustment_id, brand_id=brand_id, staff_id=staff_id)
    if found.status is ProposalStatus.REJECTED and found.decided_by == staff_id:
        return
    _check_open(found, now=now)
    await _decide(tx, found, to=ProposalStatus.REJECTED, staff_id=staff_id, now=now, why=why)


async def _lock(tx: Tx, adjustment_id: UUID, *, brand_id: UUID, staff_id: UUID) -> Adjustment:
    found = await lock_adjustment(tx, adjustment_id, brand_id=brand_id)
    await check_brand_role(
        tx, staff_id=staff_id, brand_id=brand_id, roles=DECIDERS, store_id=found.store_id
    )
    if found.proposed_by == staff_id:
        raise OwnProposal
    return found


def _check_open(found: Adjustment, *, now: datetime) -> None:
    if found.status is ProposalStatus.EXPIRED or (
        found.status is ProposalStatus.PROPOSED and found.expires_at <= now
    ):
        raise AdjustmentExpired(expired_at=found.expires_at)
    if found.status is not ProposalStatus.PROPOSED:
        raise AdjustmentAlreadyDecided(status=found.status.value)


async def _carry_out(
    tx: Tx, found: Adjustment, member: Survivor, *, staff_id: UUID, now: datetime
) -> Adjusted:
    rules = await get_programme(tx, BrandId(member.brand_id))
    command = AdjustBalance(
        # The proposal's own id: whatever is tried again, the books know it.
        request_id=RequestId(found.id),
        member_id=MemberId(member.member_id),
        store_id=StoreId(found.store_id) if found.store_id else None,
        asset=found.asset,
        delta=found.delta,
        lot_kind=found.lot_kind,
        expires_at=points_expire_at(
            now, valid_months=rules.points_valid_months, timezone=ZONE_OF_POINTS
        ),
        balance_fen_max=prepaid_limit_fen(is_named=member.is_named),
        reason=found.reason,
        staff_id=StaffId(staff_id),
        now=now,
    )
    [adjusted] = await adjust_balance(tx, [command])
    if isinstance(adjusted, Fact):
        raise adjusted
    return adjusted


async def _decide(
    tx: Tx,
    found: Adjustment,
    *,
    to: ProposalStatus,
    staff_id: UUID,
    now: datetime,
    transfer_id: UUID | None = None,
    why: str | None = None,
) -> None:
    moved = await tx.execute(
        update(Adjustment)
        .where(Adjustment.id == found.id, Adjustment.status.in_(PROPOSAL_MOVES.sources_of(to)))
        .values(
            status=to,
            decided_by=staff_id,
            decided_at=now,
            decision_note=why,
            transfer_id=transfer_id,
        )
        .returning(Adjustment.id)
    )
    if moved.first() is None:
        raise AdjustmentAlreadyDecided(status=found.status.value)
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action=f"adjustment.{to.value}",
        at=now,
        subject=("adjustment", found.id),
        store_id=found.store_id,
        member_id=found.member_id,
        asset=found.asset.value,
        delta=found.delta,
        proposed_by=found.proposed_by,
    )
