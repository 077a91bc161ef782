"""The pay PIN: chosen by the member, asked for above the programme's limit, locked when guessed."""

from datetime import date, datetime
from math import ceil
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx, transaction_beside
from o2o.infra.passwords import check_secret_aside, hash_secret_aside
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_pay_pin import (
    PayPinLocked,
    PayPinMalformed,
    PayPinMissing,
    PayPinWeak,
    PayPinWrong,
)
from o2o.membership.rules.pay_pin import FAILURES_MAX, LOCKED_FOR, is_pin, pin_weakness

_FIND = text(
    "SELECT birthday, phone, pay_pin_hash FROM members"
    " WHERE id = :member_id AND status = 'active' FOR UPDATE"
)
_SET = text(
    "UPDATE members SET pay_pin_hash = :hash, pay_pin_failures = 0, pay_pin_locked_at = NULL"
    " WHERE id = :member_id"
)
# Counted before it is checked, in one statement: no number of tries at once gets a sixth. The last
# one allowed locks at once; when it was right the lock is taken off again. A lock that ran out
# starts the count anew.
_BEGIN = text(
    "UPDATE members SET"
    " pay_pin_failures = CASE WHEN pay_pin_locked_at IS NULL THEN pay_pin_failures + 1 ELSE 1 END,"
    " pay_pin_locked_at = CASE WHEN pay_pin_locked_at IS NULL AND pay_pin_failures + 1 >= :most"
    "  THEN CAST(:now AS timestamptz) END"
    " WHERE id = :member_id AND status = 'active' AND pay_pin_hash IS NOT NULL"
    " AND (pay_pin_locked_at IS NULL OR pay_pin_locked_at <= :locked_before)"
    " RETURNING pay_pin_hash, pay_pin_failures"
)
_STANDS = text(
    "SELECT pay_pin_hash IS NOT NULL AS is_set, pay_pin_locked_at FROM members"
    " WHERE id = :member_id AND status = 'active'"
)
# Only where the PIN is still the one that was checked.
_RIGHT = text(
    "UPDATE members SET pay_pin_failures = 0, pay_pin_locked_at = NULL"
    " WHERE id = :member_id AND pay_pin_hash = :hash"
)


def check_strength(pin: str, *, birthday: date | None, phone: str | None) -> None:
    """Raises PayPinMalformed, PayPinWeak."""
    if not is_pin(pin):
        raise PayPinMalformed
    if reason := pin_weakness(pin, birthday=birthday, phone=phone):
        raise PayPinWeak(reason=reason)


async def check_new_pin(tx: Tx, *, member_id: UUID, pin: str) -> None:
    """Return when the member may choose this PIN. Raises PayPinMalformed, PayPinWeak."""
    check_strength(pin, birthday=None, phone=None)
    member = (await tx.execute(_FIND, {"member_id": member_id})).first()
    if member is not None:
        check_strength(pin, birthday=member.birthday, phone=member.phone)


async def set_pay_pin(tx: Tx, *, member_id: UUID, pin: str, now: datetime) -> None:
    """Choose a pay PIN, or another one; wrong tries are forgotten.

    Whoever calls has made sure that it is the member: by the PIN in force (`check_pay_pin`), a
    code sent to the verified phone, or a WeChat sign-in of this moment. Raises PayPinMalformed,
    PayPinWeak, MemberNotFound.
    """
    check_strength(pin, birthday=None, phone=None)
    kept_hash = await hash_secret_aside(pin)
    member = (await tx.execute(_FIND, {"member_id": member_id})).first()
    if member is None:
        raise MemberNotFound(member_id=member_id)
    check_strength(pin, birthday=member.birthday, phone=member.phone)
    await tx.execute(_SET, {"member_id": member_id, "hash": kept_hash})
    await note(
        tx,
        actor=Actor("member", member_id),
        action="pay_pin.changed" if member.pay_pin_hash else "pay_pin.set",
        at=now,
        subject=("member", member_id),
    )


async def check_pay_pin(tx: Tx, *, member_id: UUID, pin: str, now: datetime) -> None:
    """Return when it is the member's PIN.

    Call it before the first statement of `tx`: tries are counted in transactions of their own, so
    that no refusal undoes the count. Raises PayPinMissing; PayPinWrong with the tries left;
    PayPinLocked for half an hour from the fifth wrong one, also when the sixth is right.
    """
    asked = {
        "member_id": member_id,
        "now": now,
        "most": FAILURES_MAX,
        "locked_before": now - LOCKED_FOR,
    }
    async with transaction_beside(tx) as own:
        tried = (await own.execute(_BEGIN, asked)).first()
        stands = (await own.execute(_STANDS, {"member_id": member_id})).first()
        if tried is not None and tried.pay_pin_failures >= FAILURES_MAX:
            await _note_lock(own, member_id=member_id, now=now)
    if stands is None or not stands.is_set:
        raise PayPinMissing
    if tried is None:
        raise _locked(since=stands.pay_pin_locked_at, now=now)
    if not await check_secret_aside(tried.pay_pin_hash, pin if is_pin(pin) else ""):
        if tried.pay_pin_failures >= FAILURES_MAX:
            raise _locked(since=now, now=now)
        raise PayPinWrong(tries_left=FAILURES_MAX - tried.pay_pin_failures)
    async with transaction_beside(tx) as own:
        await own.execute(_RIGHT, {"member_id": member_id, "hash": tried.pay_pin_hash})


def _locked(*, since: datetime, now: datetime) -> PayPinLocked:
    left = ceil((since + LOCKED_FOR - now).total_seconds())
    return PayPinLocked(retry_after_seconds=max(1, left))


async def _note_lock(tx: Tx, *, member_id: UUID, now: datetime) -> None:
    await note(
        tx,
        actor=Actor("member", member_id),
        action="pay_pin.last_try",
        at=now,
        subject=("member", member_id),
    )
