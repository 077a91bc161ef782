"""Issue a member code for the phone: alive for a minute; the one before it dies in five seconds."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.seal import Seal
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries.counter import list_member_facts, lock_members
from o2o.membership.rules.limits import CODE_LASTS, LIVE_CODES_MAX, OLD_CODE_LASTS
from o2o.membership.rules.member_code import new_member_code

# The newest few of the living get five more seconds at most, all the others none. "Newest" counts
# the one about to be inserted.
_CUT_OLD = text(
    "UPDATE member_codes c SET expires_at = CASE WHEN o.age < :most"
    " THEN least(c.expires_at, CAST(:cut AS timestamptz)) ELSE CAST(:now AS timestamptz) END"
    " FROM (SELECT code_hash, row_number() OVER (ORDER BY issued_at DESC, code_hash) AS age"
    "  FROM member_codes WHERE member_id = :member_id AND used_at IS NULL"
    "  AND expires_at > :now) o"
    " WHERE c.code_hash = o.code_hash"
)
_INSERT = text(
    "INSERT INTO member_codes (code_hash, member_id, brand_id, issued_at, expires_at)"
    " VALUES (:code_hash, :member_id, :brand_id, :now, :expires_at)"
    " ON CONFLICT DO NOTHING RETURNING 1"
)
# Seven random codes in a row that all exist: the randomness is broken.
TRIES_MAX = 7


class IssuedCode(msgspec.Struct, frozen=True):
    """A code to be drawn as QR; told here only, its hash is kept."""

    code: str
    expires_at: datetime
    lasts_seconds: int


async def issue_member_code(tx: Tx, *, seal: Seal, member_id: UUID, now: datetime) -> IssuedCode:
    """Raises MemberNotFound. Issuing at once on two phones leaves one that lives longer."""
    await lock_members(tx, {member_id})
    member = (await list_member_facts(tx, {member_id})).get(member_id)
    if member is None:
        raise MemberNotFound(member_id=member_id)
    await tx.execute(
        _CUT_OLD,
        {"member_id": member_id, "now": now, "cut": now + OLD_CODE_LASTS, "most": LIVE_CODES_MAX},
    )
    expires_at = now + CODE_LASTS
    for _ in range(TRIES_MAX):
        code = new_member_code()
        row = await tx.execute(
            _INSERT,
            {
                "code_hash": code_hash(seal, code),
                "member_id": member_id,
                "brand_id": member.brand_id,
                "now": now,
                "expires_at": expires_at,
            },
        )
        if row.first() is not None:
            return IssuedCode(code, expires_at, int(CODE_LASTS.total_seconds()))
    msg = "member codes repeat: the random source is broken"
    raise AssertionError(msg)


def code_hash(seal: Seal, code: str) -> bytes:
    """Hash a member code as it is kept."""
    return seal.hash_of(code, use="member_code")
