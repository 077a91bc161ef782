"""Undo a charge or top-up at a pad: by who made it within minutes, later by a manager's PIN."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import StaffRoleName, TransferKind
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, RequestId, StaffId, StoreId, TransferId
from o2o.ledger.actions.reverse_transfers import (
    ReverseTransfer,
    Transferred,
    reverse_debits,
    reverse_points,
    reverse_top_ups,
)
from o2o.ledger.errors import AlreadyReversed, AlreadySpent, TransferNotFound
from o2o.membership.actions.check_visits import MONEY_ROLES
from o2o.membership.actions.top_up_at_counter import points_request_of
from o2o.membership.errors_counter import ManagerRefused, UndoNotYours, UndoReasonMissing
from o2o.membership.rules.limits import UNDO_LASTS
from o2o.membership.rules.request_ids import follows_from
from o2o.membership.scanners import AtPad
from o2o.staff.queries import exists_role
from o2o.web.errors import RoleMissing


class UndoAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Take `transfer_id` back, whole; `approved_by` is the manager whose PIN was typed."""

    request_id: RequestId
    transfer_id: UUID
    by: AtPad
    reason: str
    now: datetime
    approved_by: UUID | None = None


_SUBJECT = text(
    "SELECT t.request_id, t.kind, t.staff_id, t.amount, t.created_at, v.member_id"
    " FROM ledger_transfers t JOIN counter_visits v ON v.id = t.visit_id AND v.pad_id IS NOT NULL"
    " WHERE t.id = :transfer_id AND t.store_id = :store_id AND t.kind IN ('debit', 'top_up')"
)
# Whoever comes second waits here for the first, and then finds that it is done.
_CLAIM = text(
    "INSERT INTO counter_undos"
    " (request_id, transfer_id, pad_id, staff_id, approved_by, reason, undone_at)"
    " VALUES (:request_id, :transfer_id, :pad_id, :staff_id, :approved_by, :reason, :now)"
    " ON CONFLICT DO NOTHING RETURNING request_id"
)
_CLAIMED = text("SELECT transfer_id FROM counter_undos WHERE request_id = :request_id")
_POINTS = text(
    "SELECT id, amount FROM ledger_transfers WHERE request_id = :request_id"
    " AND kind = 'points_earned'"
)


def may_undo(*, made_by: UUID | None, made_at: datetime, staff_id: UUID, now: datetime) -> bool:
    """Whether a clerk takes it back alone: the own work of the last ten minutes."""
    return made_by == staff_id and timedelta(0) <= now - made_at < UNDO_LASTS


async def undo_at_counter(tx: Tx, command: UndoAtCounter) -> Transferred:
    """Reverse a charge or top-up made at a pad of the store; sent again, answer the same.

    Points that came with a top-up's package go with it. Raises UndoReasonMissing, RoleMissing,
    UndoNotYours, ManagerRefused, and of the ledger TransferNotFound, AlreadyReversed, AlreadySpent.
    """
    if not command.reason:
        raise UndoReasonMissing
    subject = (
        await tx.execute(
            _SUBJECT, {"transfer_id": command.transfer_id, "store_id": command.by.store_id}
        )
    ).first()
    if subject is None:
        raise TransferNotFound(command.transfer_id)
    await _check_allowed(tx, command, subject)
    is_new = await _claim(tx, command)
    reverse = reverse_debits if subject.kind == TransferKind.DEBIT else reverse_top_ups
    [outcome] = await reverse(tx, [_reversal(command, subject)])
    if isinstance(outcome, Fact):
        raise outcome
    if is_new:
        if subject.kind == TransferKind.TOP_UP:
            await _take_points_back(tx, command, subject)
        await _note(tx, command, subject)
    return outcome


async def _check_allowed(tx: Tx, command: UndoAtCounter, subject: Any) -> None:
    by = command.by
    if not await exists_role(tx, staff_id=by.staff_id, store_id=by.store_id, roles=MONEY_ROLES):
        raise RoleMissing
    if command.approved_by is not None:
        if not await exists_role(
            tx,
            staff_id=command.approved_by,
            store_id=by.store_id,
            roles=[StaffRoleName.MANAGER],
        ):
            raise ManagerRefused
        return
    if not may_undo(
        made_by=subject.staff_id,
        made_at=subject.created_at,
        staff_id=by.staff_id,
        now=command.now,
    ):
        raise UndoNotYours


async def _claim(tx: Tx, command: UndoAtCounter) -> bool:
    claimed = await tx.execute(
        _CLAIM,
        {
            "request_id": command.request_id,
            "transfer_id": command.transfer_id,
            "pad_id": command.by.pad_id,
            "staff_id": command.by.staff_id,
            "approved_by": command.approved_by,
            "reason": command.reason,
            "now": command.now,
        },
    )
    if claimed.first() is not None:
        return True
    if await tx.scalar(_CLAIMED, {"request_id": command.request_id}) == command.transfer_id:
        return False
    raise AlreadyReversed(left=0)


def _reversal(command: UndoAtCounter, subject: Any) -> ReverseTransfer:
    return ReverseTransfer(
        request_id=command.request_id,
        member_id=MemberId(subject.member_id),
        store_id=StoreId(command.by.store_id),
        transfer_id=TransferId(command.transfer_id),
        amount=None,
        reason=command.reason,
        # The visit is of the charge; which pad took it back is written beside.
        visit_id=None,
        staff_id=StaffId(command.by.staff_id),
        now=command.now,
    )


async def _take_points_back(tx: Tx, command: UndoAtCounter, subject: Any) -> None:
    granted = (
        await tx.execute(_POINTS, {"request_id": points_request_of(subject.request_id)})
    ).first()
    if granted is None:
        return
    reversal = msgspec.structs.replace(
        _reversal(command, subject),
        request_id=follows_from("package_points.undone", command.request_id),
        transfer_id=TransferId(granted.id),
    )
    [taken] = await reverse_points(tx, [reversal])
    if isinstance(taken, Fact):
        raise taken
    # Half of them spent: then the money does not go back either.
    if taken.points < granted.amount:
        raise AlreadySpent(left=taken.points)


async def _note(tx: Tx, command: UndoAtCounter, subject: Any) -> None:
    await note(
        tx,
        actor=Actor("staff", command.by.staff_id),
        action=f"{subject.kind}.undone",
        at=command.now,
        subject=("transfer", command.transfer_id),
        store_id=command.by.store_id,
        amount_fen=subject.amount,
        approved_by=command.approved_by,
        # Why, `counter_undos` knows: words may name somebody, and nothing goes from the trail.
    )
