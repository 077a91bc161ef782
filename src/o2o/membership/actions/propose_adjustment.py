"""Propose a correction of a member's stored value or points; somebody else decides on it."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.adjustments import Adjustment
from o2o.crm.statuses import Asset, LotKind, ProposalStatus
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.locks import lock_names
from o2o.kernel.ids import RequestId
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.kernel.text import without_controls
from o2o.ledger.errors import AmountOutOfRange
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_programme import (
    AdjustmentAlreadyDecided,
    MoneyOverDailyLimit,
    NotTheProposer,
    PointsOverDailyLimit,
    ReasonMissing,
)
from o2o.membership.queries.adjustments import (
    find_adjustment,
    find_survivor,
    get_proposed_since,
    lock_adjustment,
)
from o2o.membership.rules.adjustments import (
    LIMIT_WINDOW,
    MONEY_FEN_PER_DAY_MAX,
    POINTS_PER_DAY_MAX,
    PROPOSAL_LASTS,
    PROPOSAL_MOVES,
    PROPOSERS,
    is_reason_given,
    left_of_day,
)


class ProposeAdjustment(msgspec.Struct, frozen=True, kw_only=True):
    """Put `delta` fen or points right; what is taken is negative.

    `lot_kind` says whether money is the member's own (principal) or the house's gift (bonus).
    """

    request_id: RequestId
    brand_id: UUID
    member_id: UUID
    store_id: UUID | None
    asset: Asset
    delta: int
    lot_kind: LotKind
    reason: str
    staff_id: UUID


async def propose_adjustment(tx: Tx, command: ProposeAdjustment, *, now: datetime) -> UUID:
    """Return the proposal, open for seven days.

    Raises RoleMissing, ReasonMissing, AmountOutOfRange, MemberNotFound, PointsOverDailyLimit,
    MoneyOverDailyLimit; RequestBodyDiffers when the request id was used for something else.
    """
    await check_brand_role(
        tx,
        staff_id=command.staff_id,
        brand_id=command.brand_id,
        roles=PROPOSERS[command.asset],
        store_id=command.store_id,
    )
    reason = without_controls(command.reason).strip()
    if not is_reason_given(reason):
        raise ReasonMissing
    # The limit is of a person: one proposal of theirs at a time.
    await lock_names(tx, f"adjustments:{command.staff_id}")
    if (earlier := await find_adjustment(tx, command.request_id)) is not None:
        return _same(earlier, command, reason=reason)
    await _check_member(tx, command)
    await _check_limit(tx, command, now=now)
    await _insert(tx, command, reason=reason, now=now)
    await note(
        tx,
        actor=Actor("staff", command.staff_id),
        action="adjustment.proposed",
        at=now,
        subject=("adjustment", command.request_id),
        store_id=command.store_id,
        member_id=command.member_id,
        asset=command.asset.value,
        delta=command.delta,
    )
    return command.request_id


async def _insert(tx: Tx, command: ProposeAdjustment, *, reason: str, now: datetime) -> None:
    inserted = await tx.execute(
        insert(Adjustment)
        .values(
            id=command.request_id,
            brand_id=command.brand_id,
            member_id=command.member_id,
            store_id=command.store_id,
            asset=command.asset,
            delta=command.delta,
            lot_kind=command.lot_kind,
            reason=reason,
            status=ProposalStatus.PROPOSED,
            proposed_by=command.staff_id,
            proposed_at=now,
            expires_at=now + PROPOSAL_LASTS,
        )
        .on_conflict_do_nothing()
        .returning(Adjustment.id)
    )
    if inserted.first() is None:
        # Somebody else used the id while we looked: it is not what is asked now.
        raise RequestBodyDiffers(request_id=str(command.request_id))


async def withdraw_adjustment(
    tx: Tx, adjustment_id: UUID, *, brand_id: UUID, staff_id: UUID, now: datetime
) -> None:
    """Take an own proposal back before it is decided.

    Raises AdjustmentNotFound, NotTheProposer, AdjustmentAlreadyDecided. Again changes nothing.
    """
    found = await lock_adjustment(tx, adjustment_id, brand_id=brand_id)
    if found.proposed_by != staff_id:
        raise NotTheProposer
    if found.status is ProposalStatus.WITHDRAWN:
        return
    moved = await tx.execute(
        update(Adjustment)
        .where(
            Adjustment.id == adjustment_id,
            Adjustment.status.in_(PROPOSAL_MOVES.sources_of(ProposalStatus.WITHDRAWN)),
        )
        .values(status=ProposalStatus.WITHDRAWN, decided_by=staff_id, decided_at=now)
        .returning(Adjustment.id)
    )
    if moved.first() is None:
        raise AdjustmentAlreadyDecided(status=found.status.value)
    await note(
        tx,
        actor=Actor("staff", staff_id),
        action="adjustment.withdrawn",
        at=now,
        subject=("adjustment", adjustment_id),
    )


def _same(earlier: Adjustment, command: ProposeAdjustment, *, reason: str) -> UUID:
    """Answer a request that is sent again. Raises RequestBodyDiffers."""
    asked = (
        command.brand_id,
        command.member_id,
        command.store_id,
        command.asset,
        command.delta,
        command.lot_kind,
        reason,
        command.staff_id,
    )
    known = (
        earlier.brand_id,
        earlier.member_id,
        earlier.store_id,
        earlier.asset,
        earlier.delta,
        earlier.lot_kind,
        earlier.reason,
        earlier.proposed_by,
    )
    if asked != known:
        raise RequestBodyDiffers(request_id=str(command.request_id))
    return earlier.id


async def _check_member(tx: Tx, command: ProposeAdjustment) -> None:
    member = await find_survivor(tx, command.member_id)
    is_own = member is not None and member.brand_id == command.brand_id
    if member is None or not is_own or not member.is_active:
        raise MemberNotFound(member_id=command.member_id)


async def _check_limit(tx: Tx, command: ProposeAdjustment, *, now: datetime) -> None:
    amount = abs(command.delta)
    if not 1 <= amount <= AMOUNT_FEN_MAX:
        raise AmountOutOfRange(field="amount", amount_min=1, amount_max=AMOUNT_FEN_MAX)
    used = await get_proposed_since(
        tx, staff_id=command.staff_id, asset=command.asset, since=now - LIMIT_WINDOW
    )
    left = left_of_day(command.asset, used=used)
    if amount <= left:
        return
    if command.asset is Asset.POINTS:
        raise PointsOverDailyLimit(limit=POINTS_PER_DAY_MAX, left=left)
    raise MoneyOverDailyLimit(limit_fen=MONEY_FEN_PER_DAY_MAX, left_fen=left)
