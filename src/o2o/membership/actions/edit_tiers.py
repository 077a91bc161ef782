"""Edit a brand's tiers: conditions and what each gives; whoever meets the new ones goes up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from o2o.crm.organisation import Tier
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, MemberId, new_id
from o2o.membership.actions.change_tiers import raise_tiers
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.actions.set_programme import EDITORS, note_change, take_turn
from o2o.membership.errors_programme import TierNotFound
from o2o.membership.events import ProgrammeChanged
from o2o.membership.queries.tier_states import list_members_of_brand
from o2o.membership.rules.programme import TierDraft, check_tiers

# Members looked at in one transaction after the conditions changed.
STRETCH = 200


async def edit_tiers(
    tx: Tx,
    drafts: Sequence[TierDraft],
    *,
    brand_id: BrandId,
    version: int,
    staff_id: UUID,
    now: datetime,
) -> None:
    """Change every tier of the brand, given lowest first, and add new ones on top.

    A tier is never taken away: members stand on it. Nobody goes down by this; terms that run keep
    their end. Raises RoleMissing, TiersWrong, TierNotFound, ProgrammeChangedMeanwhile. Publishes
    programme.tiers_changed.
    """
    await check_brand_role(tx, staff_id=staff_id, brand_id=brand_id, roles=EDITORS)
    check_tiers(drafts)
    tiers = (
        await tx.scalars(select(Tier).where(Tier.brand_id == brand_id).order_by(Tier.rank))
    ).all()
    known = [draft.tier_id for draft in drafts[: len(tiers)]]
    if known != [tier.id for tier in tiers] or any(d.tier_id for d in drafts[len(tiers) :]):
        raise TierNotFound
    # Last of what can refuse: whoever shows the refusal in a page has changed nothing.
    await take_turn(tx, brand_id=brand_id, version=version, now=now)
    before = [_facts(tier) for tier in tiers]
    for tier, draft in zip(tiers, drafts, strict=False):
        await tx.execute(update(Tier).where(Tier.id == tier.id).values(**_values(draft)))
    top = tiers[-1].rank
    for rank, draft in enumerate(drafts[len(tiers) :], start=top + 1):
        tier_id = new_id()
        await tx.execute(
            insert(Tier).values(
                id=tier_id,
                brand_id=brand_id,
                code=f"t{tier_id.hex[-8:]}",
                rank=rank,
                **_values(draft),
            )
        )
    await note_change(
        tx,
        "programme.tiers_edited",
        brand_id=brand_id,
        staff_id=staff_id,
        now=now,
        before=before,
        after=[_values(draft) for draft in drafts],
    )
    await publish(tx, ProgrammeChanged(brand_id=brand_id, after=None, at=now), now=now)


async def raise_next_members(
    tx: Tx, *, brand_id: BrandId, after: MemberId | None, now: datetime
) -> None:
    """Let the next members rise to what they reach by the new conditions; then the ones after."""
    member_ids = await list_members_of_brand(tx, brand_id, after=after, most=STRETCH)
    await raise_tiers(tx, member_ids, now=now)
    if len(member_ids) == STRETCH:
        goes_on = ProgrammeChanged(brand_id=brand_id, after=MemberId(member_ids[-1]), at=now)
        await publish(tx, goes_on, now=now)


def _values(draft: TierDraft) -> dict[str, Any]:
    values = msgspec.structs.asdict(draft)
    del values["tier_id"]
    return values


def _facts(tier: Tier) -> dict[str, Any]:
    names = (field for field in TierDraft.__struct_fields__ if field != "tier_id")
    return {name: getattr(tier, name) for name in names}
