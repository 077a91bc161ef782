"""What a member agreed to."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.membership.errors import MemberNotFound

_WANTS_MARKETING = text(
    "SELECT EXISTS (SELECT 1 FROM consents WHERE member_id = :member_id"
    " AND purpose = 'marketing' AND withdrawn_at IS NULL)"
)


async def has_marketing_consent(tx: Tx, member_id: UUID) -> bool:
    """Whether the member wants offers by message."""
    return bool(await tx.scalar(_WANTS_MARKETING, {"member_id": member_id}))


class PrivacyState(msgspec.Struct, frozen=True, kw_only=True):
    """What a member said about the own data, and what may be corrected."""

    # The terms agreed to last, and when.
    terms_version: str
    agreed_at: datetime | None
    wants_marketing: bool
    marketing_since: datetime | None
    allows_profiling: bool
    name: str | None
    birthday: date | None


_STATE = text(
    "SELECT m.name, m.birthday, m.profiling_refused_at,"
    " a.terms_version, a.given_at AS agreed_at, o.given_at AS marketing_since"
    " FROM members m"
    " LEFT JOIN LATERAL (SELECT terms_version, given_at FROM consents WHERE member_id = m.id"
    "  AND purpose = 'membership' AND withdrawn_at IS NULL ORDER BY given_at DESC LIMIT 1) a"
    "  ON true"
    " LEFT JOIN LATERAL (SELECT given_at FROM consents WHERE member_id = m.id"
    "  AND purpose = 'marketing' AND withdrawn_at IS NULL ORDER BY given_at DESC LIMIT 1) o"
    "  ON true"
    " WHERE m.id = :member_id AND m.status = 'active'"
)


async def get_privacy_state(tx: Tx, member_id: UUID) -> PrivacyState:
    """Return a member's choices. Raises MemberNotFound."""
    row = (await tx.execute(_STATE, {"member_id": member_id})).first()
    if row is None:
        raise MemberNotFound(member_id=member_id)
    return PrivacyState(
        terms_version=row.terms_version or "",
        agreed_at=row.agreed_at,
        wants_marketing=row.marketing_since is not None,
        marketing_since=row.marketing_since,
        allows_profiling=row.profiling_refused_at is None,
        name=row.name,
        birthday=row.birthday,
    )
