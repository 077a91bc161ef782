"""Phone verifications of a fan: the one that waits for its digits, and the one that was proved."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import VerificationPurpose
from o2o.infra.database import Tx
from o2o.membership.rules.verification import PROOF_LASTS


class WaitingCode(msgspec.Struct, frozen=True, kw_only=True):
    """Digits went to a phone; `is_dead` after five wrong tries."""

    phone: str
    terms_version: str | None
    expires_at: datetime
    tries: int


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """For a while the fan may act on having proved a phone."""

    verification_id: UUID
    phone: str
    terms_version: str | None


_LIVE = text(
    "SELECT id, phone, terms_version, expires_at, tries, proved_at"
    " FROM phone_verifications"
    " WHERE fan_id = :fan_id AND purpose = :purpose AND ended_at IS NULL"
)


async def find_waiting_code(
    tx: Tx, fan_id: UUID, *, purpose: VerificationPurpose, now: datetime
) -> WaitingCode | None:
    """Return what waits for its digits, also when its tries are used up."""
    row = (await tx.execute(_LIVE, {"fan_id": fan_id, "purpose": purpose})).first()
    if row is None or row.proved_at is not None or row.expires_at <= now:
        return None
    return WaitingCode(
        phone=row.phone,
        terms_version=row.terms_version,
        expires_at=row.expires_at,
        tries=row.tries,
    )


async def find_proof(
    tx: Tx, fan_id: UUID, *, purpose: VerificationPurpose, now: datetime
) -> Proof | None:
    """Return what the fan proved in the last ten minutes and has not acted on."""
    row = (await tx.execute(_LIVE, {"fan_id": fan_id, "purpose": purpose})).first()
    if row is None or row.proved_at is None or row.proved_at + PROOF_LASTS <= now:
        return None
    return Proof(verification_id=row.id, phone=row.phone, terms_version=row.terms_version)
