"""End a programme, by two people: nothing is topped up any more, all principal may be refunded.

The marketer or a manager proposes, finance approves. There is no way back but a new programme.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.adjustments import ProgrammeEnding
from o2o.crm.programmes import Programme
from o2o.crm.statuses import ProposalStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.locks import lock_names
from o2o.kernel.ids import BrandId, RequestId
from o2o.kernel.text import without_controls
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.errors_programme import (
    AdjustmentAlreadyDecided,
    AdjustmentExpired,
    EndingAlreadyProposed,
    NotTheProposer,
    OwnProposal,
    ProgrammeEnded,
    ReasonMissing,
)
from o2o.membership.queries.endings import find_ending, find_latest_ending, lock_ending
from o2o.membership.queries.programmes import get_programme
from o2o.membership.rules.adjustments import (
    DECIDERS,
    ENDERS,
    PROPOSAL_LASTS,
    PROPOSAL_MOVES,
    is_reason_given,
)


async def propose_end(
    tx: Tx, *, request_id: RequestId, brand_id: UUID, staff_id: UUID, reason: str, now: datetime
) -> UUID:
    """Return the proposal, open for seven days.

    Raises RoleMissing, ReasonMissing, ProgrammeEnded, EndingAlreadyProposed, RequestBodyDiffers.
    """
    await check_brand_role(tx, staff_id=staff_id, brand_id=brand_id, roles=ENDERS)
    reason = without_controls(reason).strip()
    if not is_reason_given(reason):
        raise ReasonMissing
    # No row to lock yet: the brand's name is.
    await lock_names(tx, f"programme:{brand_id}")
    earlier = await find_ending(tx, request_id)
    if earlier is not None:
        if (earlier.brand_id, earlier.proposed_by, earlier.reason) != (brand_id, staff_id, reason):
            raise RequestBodyDiffers(request_id=str(request_id))
        return earlier.id
    if (await get_programme(tx, BrandId(brand_id))).ended_at is not None:
        raise ProgrammeEnded
    latest = await find_latest_ending(tx, brand_id)
    if latest is not None and latest.status is ProposalStatus.PROPOSED and latest.expires_at > now:
        raise EndingAlreadyProposed
    await expire_endings(tx, now=now)
    await tx.execute(
        insert(ProgrammeEnding).values(
            id=request_id,
            brand_id=brand_id,
            reason=reason,
            status=ProposalStatus.PROPOSED,
            proposed_by=staff_id,
            proposed_at=now,
            expires_at=now + PROPOSAL_LASTS,
        )
    )
    await _note(tx, "programme_ending.proposed", request_id, staff_id=staff_id, now=now, why=reason)
    return request_id


async def approve_end(
    tx: Tx, ending_id: UUID, *, brand_id: UUID, staff_id: UUID, now: datetime
) -> None:
    """End the programme now. By the same person again changes nothing.

    Raises EndingNotFound, RoleMissing, OwnProposal, AdjustmentAlreadyDecided, AdjustmentExpired.
    """
    await lock_names(tx, f"programme:{brand_id}")
    found = await _lock(tx, ending_id, brand_id=brand_id, staff_id=staff_id)
    if found.status is ProposalStatus.APPROVED and found.decided_by == staff_id:
        return
    await _decide(tx, found, to=ProposalStatus.APPROVED, staff_id=staff_id, now=now)
    await tx.execute(
        update(Programme)
        .where(Programme.brand_id == brand_id, Programme.ended_at.is_(None))
        .values(ended_at=now, updated_at=now, version=Programme.version + 1)
    )


async def reject_end(
    tx: Tx, ending_id: UUID, *, brand_id: UUID, staff_id: UUID, now: datetime
) -> None:
    """Let the programme go on. Raises what approve_end raises."""
    found = await _lock(tx, ending_id, brand_id=brand_id, staff_id=staff_id)
    if found.status is ProposalStatus.REJECTED and found.decided_by == staff_id:
        return
    await _decide(tx, found, to=ProposalStatus.REJECTED, staff_id=staff_id, now=now)


async def withdraw_end(
    tx: Tx, ending_id: UUID, *, brand_id: UUID, staff_id: UUID, now: datetime
) -> None:
    """Take the own proposal back. Raises EndingNotFound, NotTheProposer and the like."""
    found = await lock_ending(tx, ending_id, brand_id=brand_id)
    if found.proposed_by != staff_id:
        raise NotTheProposer
    if found.status is not ProposalStatus.WITHDRAWN:
        await _decide(tx, found, to=ProposalStatus.WITHDRAWN, staff_id=staff_id, now=now)


async def expire_endings(tx: Tx, *, now: datetime) -> None:
    """Close proposals that nobody decided on within their time."""
    await tx.execute(
        update(ProgrammeEnding)
        .where(
            ProgrammeEnding.status.in_(PROPOSAL_MOVES.sources_of(ProposalStatus.EXPIRED)),
            ProgrammeEnding.expires_at <= now,
        )
        .values(status=ProposalStatus.EXPIRED, decided_at=now)
    )


async def _lock(tx: Tx, ending_id: UUID, *, brand_id: UUID, staff_id: UUID) -> ProgrammeEnding:
    found = await lock_ending(tx, ending_id, brand_id=brand_id)
    await check_brand_role(tx, staff_id=staff_id, brand_id=brand_id, roles=DECIDERS)
    if found.proposed_by == staff_id:
        raise OwnProposal
    return found


async def _decide(
    tx: Tx, found: ProgrammeEnding, *, to: ProposalStatus, staff_id: UUID, now: datetime
) -> None:
    if found.status is not ProposalStatus.PROPOSED:
        raise AdjustmentAlreadyDecided(status=found.status.value)
    if found.expires_at <= now:
        raise AdjustmentExpired(expired_at=found.expires_at)
    moved = await tx.execute(
        update(ProgrammeEnding)
        .where(
            ProgrammeEnding.id == found.id,
            ProgrammeEnding.status.in_(PROPOSAL_MOVES.sources_of(to)),
        )
        .values(status=to, decided_by=staff_id, decided_at=now)
        .returning(ProgrammeEnding.id)
    )
    if moved.first() is None:
        raise AdjustmentAlreadyDecided(status=found.status.value)
    await _note(
        tx,
        f"programme_ending.{to.value}",
        found.id,
        staff_id=staff_id,
        now=now,
        why=found.reason,
    )


async def _note(
    tx: Tx, action: str, ending_id: UUID, *, staff_id: UUID, now: datetime, why: str
) -> None:
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action=action,
        at=now,
        subject=("programme_ending", ending_id),
        reason=why,
    )
