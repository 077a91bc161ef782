"""Edit how a store is booked: settings, weekly rules, exceptions.

Bookings share the lock of the store's settings; every edit here holds it alone. What was booked
before stays booked, unless the store does without bookings on that date: then people are told.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, exists, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from o2o.crm.bookings import BookingException, BookingRule, BookingSettings
from o2o.crm.queueing import Queue
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.queueing.actions.cancel_bookings import cancel_bookings
from o2o.queueing.actions.carry_slots import carry_slots
from o2o.queueing.booking_commands import ChangeBooking
from o2o.queueing.errors_bookings import (
    BookingPlanGone,
    BookingPlanWrong,
    BookingsWouldLoseTime,
)
from o2o.queueing.queries.affected_bookings import list_affected
from o2o.queueing.queries.booking_plans import get_plan
from o2o.queueing.queries.bookings import KnownBooking
from o2o.queueing.rules.booking_drafts import (
    EXCEPTIONS_MAX,
    RULES_MAX,
    ExceptionDraft,
    RuleDraft,
    SettingsDraft,
    check_apart,
    check_exception,
    check_rule,
    check_settings,
)

_LOCK = text("SELECT 1 FROM booking_settings WHERE store_id = :store_id FOR UPDATE")


class PlanEdit(msgspec.Struct, frozen=True, kw_only=True):
    """Who edits which store's plan."""

    store_id: UUID
    actor: Actor
    now: datetime


async def save_booking_settings(tx: Tx, draft: SettingsDraft, *, edit: PlanEdit) -> None:
    """Set how the store takes bookings. Raises BookingPlanWrong."""
    check_settings(draft)
    values = msgspec.structs.asdict(draft) | {"changed_at": edit.now}
    await tx.execute(
        upsert(BookingSettings)
        .values(store_id=edit.store_id, **values)
        .on_conflict_do_update(index_elements=[BookingSettings.store_id], set_=values)
    )
    after = msgspec.structs.asdict(draft)
    await _note(tx, edit, "booking_settings.saved", after=after)


async def add_rule(tx: Tx, draft: RuleDraft, *, edit: PlanEdit) -> list[UUID]:
    """Offer slots on the draft's weekdays; return the rules, one for each.

    Raises BookingPlanWrong, BookingRulesOverlap.
    """
    check_rule(draft)
    await _begin(tx, edit)
    await _check_queue(tx, draft.queue_id, edit=edit)
    plan = await get_plan(tx, edit.store_id, now=edit.now)
    check_apart(draft, plan.rules)
    if len(plan.rules) + len(draft.weekdays) > RULES_MAX:
        raise BookingPlanWrong(problem="too_many", field="weekdays")
    values = _rule_values(draft)
    rows = [
        {
            "id": new_id(),
            "store_id": edit.store_id,
            "weekday": weekday,
            "created_at": edit.now,
            **values,
        }
        for weekday in sorted(set(draft.weekdays))
    ]
    await tx.execute(insert(BookingRule), rows)
    await carry_slots(tx, edit.store_id, now=edit.now)
    await _note(tx, edit, "booking_rule.added", rule=msgspec.to_builtins(draft))
    return [row["id"] for row in rows]


async def change_rule(tx: Tx, rule_id: UUID, draft: RuleDraft, *, edit: PlanEdit) -> None:
    """Change a rule of one weekday; what was booked by it stays, and counts in what it offers now.

    Raises BookingPlanGone, BookingPlanWrong, BookingRulesOverlap.
    """
    check_rule(draft)
    await _begin(tx, edit)
    await _check_queue(tx, draft.queue_id, edit=edit)
    plan = await get_plan(tx, edit.store_id, now=edit.now)
    if not any(rule.rule_id == rule_id for rule in plan.rules):
        raise BookingPlanGone
    [weekday] = draft.weekdays
    check_apart(draft, [rule for rule in plan.rules if rule.rule_id != rule_id])
    await tx.execute(
        update(BookingRule)
        .where(BookingRule.id == rule_id, BookingRule.store_id == edit.store_id)
        .values(weekday=weekday, **_rule_values(draft))
    )
    await carry_slots(tx, edit.store_id, now=edit.now)
    await _note(tx, edit, "booking_rule.changed", rule_id=rule_id, rule=msgspec.to_builtins(draft))


async def withdraw_rule(tx: Tx, rule_id: UUID, *, edit: PlanEdit) -> None:
    """Offer a rule's slots no more; what was booked stays. Raises BookingPlanGone."""
    await _begin(tx, edit)
    gone = await tx.scalar(
        delete(BookingRule)
        .where(BookingRule.id == rule_id, BookingRule.store_id == edit.store_id)
        .returning(BookingRule.id)
    )
    if gone is None:
        raise BookingPlanGone
    await _note(tx, edit, "booking_rule.withdrawn", rule_id=rule_id)


async def except_date(
    tx: Tx,
    draft: ExceptionDraft,
    *,
    edit: PlanEdit,
    confirmed: Collection[UUID] | None = None,
) -> list[UUID]:
    """Book a date otherwise, or not at all; an exception of the same date and queue is replaced.

    The bookings of a date that is closed are called off, and their people told; their ids are
    returned. With fewer places those who booked keep theirs. `confirmed` are the bookings that
    whoever edits has seen to be affected; None: whichever they are.
    Raises BookingPlanWrong, BookingsWouldLoseTime: then nothing was changed.
    """
    await _begin(tx, edit)
    plan = await get_plan(tx, edit.store_id, now=edit.now)
    check_exception(draft, today=plan.day_of(edit.now))
    if draft.queue_id is not None:
        await _check_queue(tx, draft.queue_id, edit=edit)
    affected = await list_affected(tx, edit.store_id, draft, now=edit.now)
    check_confirmed(affected, confirmed)
    await _forget_past(tx, edit)
    if len(plan.exceptions) >= EXCEPTIONS_MAX:
        raise BookingPlanWrong(problem="too_many", field="applies_on")
    values = {"capacity": draft.capacity, "reason": draft.reason}
    await tx.execute(
        upsert(BookingException)
        .values(
            id=new_id(),
            store_id=edit.store_id,
            queue_id=draft.queue_id,
            applies_on=draft.applies_on,
            created_at=edit.now,
            **values,
        )
        .on_conflict_do_update(
            index_elements=[
                BookingException.store_id,
                BookingException.applies_on,
                BookingException.queue_id,
            ],
            set_=values,
        )
    )
    cancelled: list[UUID] = []
    if draft.capacity is None:
        cancelled = [booking.booking_id for booking in affected]
        await call_off(tx, cancelled, edit=edit, reason=draft.reason)
    await _note(
        tx,
        edit,
        "booking_exception.added",
        exception=msgspec.to_builtins(draft),
        cancelled=len(cancelled),
    )
    return cancelled


def check_confirmed(affected: Sequence[KnownBooking], confirmed: Collection[UUID] | None) -> None:
    """Let a change pass whose consequences were seen. Raises BookingsWouldLoseTime."""
    if confirmed is None:
        return
    ids = [booking.booking_id for booking in affected]
    fresh = [booking_id for booking_id in ids if booking_id not in confirmed]
    if fresh:
        raise BookingsWouldLoseTime(booking_ids=ids, fresh=len(fresh))


async def hold_plan(tx: Tx, store_id: UUID) -> None:
    """Let nobody book at a store, if it is booked at all, until the transaction ends."""
    await tx.execute(_LOCK, {"store_id": store_id})


async def withdraw_exception(tx: Tx, exception_id: UUID, *, edit: PlanEdit) -> None:
    """Book a date as on other weeks; who was told stays told. Raises BookingPlanGone."""
    await _begin(tx, edit)
    gone = await tx.scalar(
        delete(BookingException)
        .where(BookingException.id == exception_id, BookingException.store_id == edit.store_id)
        .returning(BookingException.id)
    )
    if gone is None:
        raise BookingPlanGone
    await _note(tx, edit, "booking_exception.withdrawn", exception_id=exception_id)


async def call_off(tx: Tx, booking_ids: list[UUID], *, edit: PlanEdit, reason: str | None) -> None:
    """Cancel bookings for the store; their people are told."""
    staff_id = edit.actor.id if edit.actor.kind == "staff" else None
    await cancel_bookings(
        tx,
        [
            ChangeBooking(
                booking_id=booking_id,
                store_id=edit.store_id,
                staff_id=staff_id,
                reason=reason or None,
                now=edit.now,
            )
            for booking_id in booking_ids
        ],
    )


async def _begin(tx: Tx, edit: PlanEdit) -> None:
    """Hold the plan alone; a store without settings gets the usual ones."""
    await tx.execute(
        upsert(BookingSettings)
        .values(store_id=edit.store_id, changed_at=edit.now)
        .on_conflict_do_nothing()
    )
    await hold_plan(tx, edit.store_id)


async def _check_queue(tx: Tx, queue_id: UUID, *, edit: PlanEdit) -> None:
    """Raise BookingPlanWrong for a queue of another store, or one that is retired."""
    is_own = await tx.scalar(
        select(
            exists().where(
                Queue.id == queue_id,
                Queue.store_id == edit.store_id,
                Queue.retired_at.is_(None),
            )
        )
    )
    if not is_own:
        raise BookingPlanWrong(problem="queue", field="queue_id")


async def _forget_past(tx: Tx, edit: PlanEdit) -> None:
    long_ago = (edit.now - timedelta(days=30)).date()
    await tx.execute(
        delete(BookingException).where(
            BookingException.store_id == edit.store_id,
            BookingException.applies_on < long_ago,
        )
    )


def _rule_values(draft: RuleDraft) -> dict[str, Any]:
    return {
        "queue_id": draft.queue_id,
        "since_minute": draft.since_minute,
        "until_minute": draft.until_minute,
        "slot_minutes": draft.slot_minutes,
        "capacity": draft.capacity,
        "party_size_min": draft.party_size_min,
        "party_size_max": draft.party_size_max,
    }


async def _note(tx: Tx, edit: PlanEdit, action: str, **detail: Any) -> None:
    await note(
        tx,
        actor=edit.actor,
        action=action,
        at=edit.now,
        subject=("store", edit.store_id),
        store_id=edit.store_id,
        **detail,
    )
