"""Earn points: what a charge earns, and what goes back when the charge is reversed.

One settlement for both: it compares what the charge is worth now with what it earned so far, so the
order in which charge and reversals are heard of does not matter, nor how often.
"""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.programme_history import PointsEarning
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId, StoreId, TransferId
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.ledger.actions.reverse_points import ReverseTransfer, reverse_points
from o2o.ledger.errors import AlreadySpent, MemberMoved
from o2o.membership.queries.counter import list_member_facts
from o2o.membership.queries.earnings import (
    Charge,
    Earning,
    exists_rewarded_visit,
    find_charge,
    find_earning,
    list_debts,
)
from o2o.membership.rules.points import points_expire_at, points_for, points_kept
from o2o.membership.rules.request_ids import follows_from

_SETTLE = text(
    "UPDATE points_earnings SET taken_back = taken_back + :taken, owed = owed + :owed,"
    " visited_on = CASE WHEN :keeps_visit THEN visited_on END WHERE transfer_id = :transfer_id"
)


async def settle_points(tx: Tx, transfer_id: UUID, *, now: datetime) -> None:
    """Bring the points of a charge to what the charge is worth. Twice changes nothing.

    The first time the charge earns by the brand's rule and the tier held then. Later, points of
    what was reversed go back: from their own lot, else from the member's other points; what has
    been spent is owed and kept from what the member earns next. Raises MemberMoved when the member
    became one with another at this very moment: settle once more.
    """
    charge = await find_charge(tx, transfer_id)
    if charge is None or not charge.is_active:
        return
    # One settlement of a member at a time, and the member before the accounts, as everybody locks;
    # then what stands is read again.
    await lock_names(tx, f"points:{charge.member_id}")
    held = await list_member_facts(tx, {charge.member_id}, is_held=True)
    charge = await find_charge(tx, transfer_id)
    if charge is None or not charge.is_active:
        return
    if charge.member_id not in held:
        raise MemberMoved
    earning = await find_earning(tx, transfer_id)
    if earning is None:
        await _earn(tx, charge, now=now)
        await _settle_debts(tx, charge, now=now)
    else:
        await _take_back(tx, charge, earning, now=now)


async def _earn(tx: Tx, charge: Charge, *, now: datetime) -> None:
    visited_on = charge.at.astimezone(ZoneInfo(charge.timezone)).date()
    earns_visit = (
        charge.visit_points > 0
        and charge.left_fen > 0
        and not await exists_rewarded_visit(tx, member_id=charge.member_id, visited_on=visited_on)
    )
    spend_points = points_for(
        charge.left_fen,
        points_per_yuan=charge.points_per_yuan,
        multiplier_bp=charge.multiplier_bp,
    )
    visit_points = charge.visit_points if earns_visit else 0
    granted = await _grant(tx, charge, points=spend_points + visit_points, now=now)
    await tx.execute(
        insert(PointsEarning).values(
            transfer_id=charge.transfer_id,
            member_id=charge.member_id,
            base_fen=charge.left_fen,
            spend_points=spend_points,
            visit_points=visit_points,
            visited_on=visited_on if earns_visit else None,
            points_transfer_id=granted,
            earned_at=now,
        )
    )


async def _grant(tx: Tx, charge: Charge, *, points: int, now: datetime) -> TransferId | None:
    if points == 0:
        return None
    [granted] = await grant_points(
        tx,
        [
            GrantPoints(
                request_id=follows_from("points.earned", charge.transfer_id),
                member_id=MemberId(charge.member_id),
                store_id=StoreId(charge.store_id),
                points=points,
                expires_at=points_expire_at(
                    charge.at, valid_months=charge.points_valid_months, timezone=charge.timezone
                ),
                now=now,
            )
        ],
    )
    if isinstance(granted, Fact):
        raise granted
    return granted.transfer_id


async def _take_back(tx: Tx, charge: Charge, earning: Earning, *, now: datetime) -> None:
    visit_kept = earning.visit_points if charge.left_fen > 0 else 0
    kept = visit_kept + points_kept(
        earning.spend_points, base_fen=earning.base_fen, left_fen=charge.left_fen
    )
    gone = earning.taken_back + earning.owed
    due = earning.spend_points + earning.visit_points - kept - gone
    if due <= 0:
        return
    taken = await _reverse(
        tx,
        charge,
        points_transfer_id=earning.points_transfer_id,
        points=due,
        request_id=follows_from("points.reversed", charge.transfer_id, gone + due),
        now=now,
    )
    await _note_taken(
        tx,
        charge.transfer_id,
        taken=taken,
        owed=due - taken,
        keeps_visit=charge.left_fen > 0,
    )
    await note(
        tx,
        actor=SYSTEM,
        action="points.taken_back",
        at=now,
        subject=("member", charge.member_id),
        store_id=charge.store_id,
        charge_id=charge.transfer_id,
        points=taken,
        owed=due - taken,
    )


async def _reverse(
    tx: Tx,
    charge: Charge,
    *,
    points_transfer_id: UUID | None,
    points: int,
    request_id: RequestId,
    now: datetime,
) -> int:
    """Take earned points back as far as the member has any; return how many there were."""
    assert points_transfer_id is not None
    command = ReverseTransfer(
        request_id=request_id,
        member_id=MemberId(charge.member_id),
        store_id=StoreId(charge.store_id),
        transfer_id=TransferId(points_transfer_id),
        amount=points,
        now=now,
    )
    [moved] = await reverse_points(tx, [command])
    if isinstance(moved, AlreadySpent):
        return 0
    if isinstance(moved, Fact):
        raise moved
    return moved.points


async def _settle_debts(tx: Tx, charge: Charge, *, now: datetime) -> None:
    """Keep what is owed from what has just been earned."""
    for debt in await list_debts(tx, charge.member_id):
        taken = await _reverse(
            tx,
            charge,
            points_transfer_id=debt.points_transfer_id,
            points=debt.owed,
            request_id=follows_from("points.debt", debt.transfer_id, charge.transfer_id),
            now=now,
        )
        if taken == 0:
            return
        await _note_taken(tx, debt.transfer_id, taken=taken, owed=-taken, keeps_visit=True)


async def _note_taken(
    tx: Tx, transfer_id: UUID, *, taken: int, owed: int, keeps_visit: bool
) -> None:
    await tx.execute(
        _SETTLE,
        {"transfer_id": transfer_id, "taken": taken, "owed": owed, "keeps_visit": keeps_visit},
    )
