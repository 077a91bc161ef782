"""The member's say on what may be done with the own data: as easily taken back as given."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import new_id
from o2o.membership.errors import TermsChanged

_PROFILING = {
    True: text(
        "UPDATE members SET profiling_refused_at = NULL WHERE id = :member_id"
        " AND status = 'active' AND profiling_refused_at IS NOT NULL RETURNING id"
    ),
    False: text(
        "UPDATE members SET profiling_refused_at = :now WHERE id = :member_id"
        " AND status = 'active' AND profiling_refused_at IS NULL RETURNING id"
    ),
}
_AGREE = text(
    "INSERT INTO consents (id, member_id, purpose, terms_version, given_at)"
    " SELECT :id, :member_id, 'membership', :terms_version, :now FROM members"
    " WHERE id = :member_id AND status = 'active' ON CONFLICT DO NOTHING RETURNING id"
)


async def answer_profiling(tx: Tx, *, member_id: UUID, is_allowed: bool, now: datetime) -> None:
    """Allow or refuse conclusions from what was bought (PIPL, article 24)."""
    changed = await tx.scalar(_PROFILING[is_allowed], {"member_id": member_id, "now": now})
    if changed is not None:
        await note(
            tx,
            actor=Actor("member", member_id),
            action="profiling.allowed" if is_allowed else "profiling.refused",
            at=now,
            subject=("member", member_id),
        )


async def agree_to_terms(
    tx: Tx, *, member_id: UUID, shown_version: str, terms_version: str, now: datetime
) -> None:
    """Keep a member's yes to the terms in force; the yes to earlier ones stays as it was.

    Raises TermsChanged when other terms were shown than are in force.
    """
    if shown_version != terms_version:
        raise TermsChanged(terms_version=terms_version)
    given = await tx.scalar(
        _AGREE,
        {"id": new_id(), "member_id": member_id, "terms_version": terms_version, "now": now},
    )
    if given is not None:
        await note(
            tx,
            actor=Actor("member", member_id),
            action="consent.given",
            at=now,
            subject=("member", member_id),
            purpose="membership",
            terms_version=terms_version,
        )
