"""Verify a phone: six digits go out by text message, and the right ones come back in time.

Nothing here depends on whether the phone is a member's: who asks learns nothing of it.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import new_id
from o2o.membership.errors_identity import CodeDead, CodeNotAsked, CodeWrong, SMSTooOften
from o2o.membership.rules.verification import (
    ADDRESS_LIMITS,
    CODE_LASTS,
    KEPT,
    PERSON_LIMITS,
    TRIES_MAX,
    new_phone_code,
    seconds_to_wait,
)
from o2o.notifications.actions.queue_code import queue_code


class AskPhoneCode(msgspec.Struct, frozen=True, kw_only=True):
    """Send digits to `phone` on behalf of a fan who asks from `address`."""

    fan_id: UUID
    phone: str
    address: str
    purpose: VerificationPurpose = VerificationPurpose.BIND
    terms_version: str | None = None


class ProvedPhone(msgspec.Struct, frozen=True, kw_only=True):
    """The fan holds this phone."""

    verification_id: UUID
    phone: str


# A proof by pay PIN has no digits and went nowhere.
_SENT = text(
    "SELECT created_at FROM phone_verifications WHERE created_at > :since AND code_hash <> ''"
)
_SENT_BY = {
    "phone": text(f"{_SENT.text} AND phone = :phone"),
    "fan": text(f"{_SENT.text} AND fan_id = :fan_id AND purpose = :purpose"),
    "address": text(f"{_SENT.text} AND address_hash = :address_hash"),
}
_END_LIVE = text(
    "UPDATE phone_verifications SET ended_at = :now"
    " WHERE fan_id = :fan_id AND purpose = :purpose AND ended_at IS NULL"
)
_INSERT = text(
    "INSERT INTO phone_verifications (id, fan_id, purpose, phone, code_hash, address_hash,"
    " terms_version, created_at, expires_at, proved_at) VALUES (:id, :fan_id, :purpose, :phone,"
    " :code_hash, :address_hash, :terms_version, :now, :expires_at, :proved_at)"
)
# Counted before it is looked at, in one statement: no number of tries at once gets a sixth.
_TRY = text(
    "UPDATE phone_verifications SET tries = tries + 1"
    " WHERE fan_id = :fan_id AND purpose = :purpose AND ended_at IS NULL AND proved_at IS NULL"
    " AND expires_at > :now AND tries < :most RETURNING id, phone, code_hash, tries"
)
_LIVE = text(
    "SELECT tries FROM phone_verifications WHERE fan_id = :fan_id AND purpose = :purpose"
    " AND ended_at IS NULL AND proved_at IS NULL AND expires_at > :now"
)
_PROVED = text("UPDATE phone_verifications SET proved_at = :now WHERE id = :id")
_END = text("UPDATE phone_verifications SET ended_at = :now WHERE id = :id AND ended_at IS NULL")
_SWEEP = text("DELETE FROM phone_verifications WHERE created_at < :before")


async def ask_phone_code(tx: Tx, asked: AskPhoneCode, *, seal: Seal, now: datetime) -> UUID:
    """Queue a message with a new code; an earlier one dies. Raises SMSTooOften."""
    address_hash = hashlib.sha256(f"sms:{asked.address}".encode()).digest()
    # Two requests at once count each other.
    await lock_names(tx, f"sms:{asked.phone}", f"sms:{asked.fan_id}", f"sms:{address_hash.hex()}")
    values = {
        "fan_id": asked.fan_id,
        "phone": asked.phone,
        "address_hash": address_hash,
        "purpose": asked.purpose,
        "now": now,
    }
    await _check_limits(tx, values, now=now)
    await tx.execute(_END_LIVE, values)
    code, verification_id, expires_at = new_phone_code(), new_id(), now + CODE_LASTS
    await tx.execute(
        _INSERT,
        values
        | {
            "id": verification_id,
            "code_hash": _hash(seal, verification_id, code),
            "terms_version": asked.terms_version,
            "expires_at": expires_at,
            "proved_at": None,
        },
    )
    await queue_code(
        tx,
        seal=seal,
        message_id=verification_id,
        phone=asked.phone,
        code=code,
        expires_at=expires_at,
        now=now,
    )
    return verification_id


async def _check_limits(tx: Tx, values: dict[str, object], *, now: datetime) -> None:
    limits: tuple[tuple[str, Sequence[tuple[int, timedelta]]], ...] = (
        ("phone", PERSON_LIMITS),
        ("fan", PERSON_LIMITS),
        ("address", ADDRESS_LIMITS),
    )
    waits = []
    for by, counted in limits:
        since = now - max(window for _, window in counted)
        rows = await tx.scalars(_SENT_BY[by], values | {"since": since})
        waits.append(seconds_to_wait(list(rows), limits=counted, now=now))
    if wait := max(waits):
        raise SMSTooOften(retry_after_seconds=wait)


async def check_phone_code(
    tx: Tx,
    *,
    fan_id: UUID,
    code: str,
    seal: Seal,
    now: datetime,
    purpose: VerificationPurpose = VerificationPurpose.BIND,
) -> ProvedPhone | Fact:
    """Take one try of the digits; a refusal comes back as data, since the try stays counted.

    Facts: CodeNotAsked, CodeWrong, CodeDead (the fifth wrong one, and all after it).
    """
    values = {"fan_id": fan_id, "purpose": purpose, "now": now, "most": TRIES_MAX}
    row = (await tx.execute(_TRY, values)).first()
    if row is None:
        is_dead = (await tx.execute(_LIVE, values)).first() is not None
        return CodeDead() if is_dead else CodeNotAsked()
    if not hmac.compare_digest(bytes(row.code_hash), _hash(seal, row.id, code)):
        if row.tries < TRIES_MAX:
            return CodeWrong(tries_left=TRIES_MAX - row.tries)
        await note(
            tx,
            actor=Actor("fan", fan_id),
            action="phone.code_guessed_at",
            at=now,
            subject=("phone_verification", row.id),
        )
        return CodeDead()
    await tx.execute(_PROVED, {"id": row.id, "now": now})
    return ProvedPhone(verification_id=row.id, phone=row.phone)


async def prove_by_pin(tx: Tx, *, fan_id: UUID, phone: str, now: datetime) -> None:
    """Let a pay PIN that the caller has checked stand for the phone in force (a step up)."""
    values: dict[str, object] = {
        "id": new_id(),
        "fan_id": fan_id,
        "purpose": VerificationPurpose.STEP_UP,
        "phone": phone,
        "code_hash": b"",
        "address_hash": b"",
        "terms_version": None,
        "now": now,
        "expires_at": now,
        "proved_at": now,
    }
    await lock_names(tx, f"sms:{fan_id}")
    await tx.execute(_END_LIVE, values)
    await tx.execute(_INSERT, values)


async def end_verification(tx: Tx, verification_id: UUID, *, now: datetime) -> None:
    """Let nobody act on a proof any more."""
    await tx.execute(_END, {"id": verification_id, "now": now})


async def sweep_verifications(tx: Tx, now: datetime) -> None:
    """Delete what no limit looks at any more."""
    await tx.execute(_SWEEP, {"before": now - KEPT})


def _hash(seal: Seal, verification_id: UUID, code: str) -> bytes:
    # With the id: the same digits for somebody else hash differently.
    return seal.hash_of(f"{verification_id}:{code}", use="phone_code")
