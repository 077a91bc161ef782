"""Give a tier by hand, or because its price was paid at the till; for the tier's term."""

from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import StaffRoleName, TierMoveReason
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.locks import lock_names
from o2o.kernel.ids import RequestId
from o2o.kernel.text import without_controls
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.actions.move_tiers import TierStepTaken, held_until, move_tiers
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_programme import ReasonMissing, TierNotForSale, TierNotFound
from o2o.membership.queries.tier_states import (
    TierTerms,
    find_move_of_request,
    list_tier_terms,
    lock_tier_states,
)
from o2o.membership.rules.adjustments import is_reason_given

GIVERS = frozenset({StaffRoleName.MARKETER, StaffRoleName.MANAGER})


class GiveTier(msgspec.Struct, frozen=True, kw_only=True):
    """Put a member at a tier; `why` is the reason, or the receipt of the price that was paid."""

    request_id: RequestId
    brand_id: UUID
    member_id: UUID
    tier_id: UUID
    is_paid: bool
    why: str
    staff_id: UUID


async def give_tier(tx: Tx, command: GiveTier, *, now: datetime) -> None:
    """Move the member, up or down, for the tier's term from now; again changes nothing.

    Raises RoleMissing, ReasonMissing, MemberNotFound, TierNotFound, TierNotForSale (no price, or
    not above the member's own), RequestBodyDiffers.
    """
    await check_brand_role(tx, staff_id=command.staff_id, brand_id=command.brand_id, roles=GIVERS)
    why = without_controls(command.why).strip()
    if not is_reason_given(why):
        raise ReasonMissing
    await lock_names(tx, f"tier:{command.request_id}")
    asked = (command.member_id, command.tier_id)
    if (earlier := await find_move_of_request(tx, command.request_id)) is not None:
        if earlier != asked:
            raise RequestBodyDiffers(request_id=str(command.request_id))
        return
    states = await lock_tier_states(tx, [command.member_id])
    if not states or states[0].brand_id != command.brand_id:
        raise MemberNotFound(member_id=command.member_id)
    [state] = states
    tiers = (await list_tier_terms(tx, [state.brand_id]))[state.brand_id]
    by_id = {tier.tier_id: tier for tier in tiers}
    goal, origin = by_id.get(command.tier_id), by_id[state.tier_id]
    if goal is None:
        raise TierNotFound
    if command.is_paid:
        _check_for_sale(goal, origin)
    step = TierStepTaken(
        state=state,
        origin=origin,
        goal=goal,
        reason=TierMoveReason.PAID if command.is_paid else TierMoveReason.BY_HAND,
        valid_until=held_until(goal, lowest=tiers[0], at=now, timezone=state.timezone),
        staff_id=command.staff_id,
        note=why,
        request_id=command.request_id,
    )
    await move_tiers(tx, [step], now=now)
    await note(
        tx,
        actor=Actor("staff", command.staff_id),
        action="tier.given",
        at=now,
        subject=("member", command.member_id),
        before=origin.step.code,
        after=goal.step.code,
        is_paid=command.is_paid,
        # Why, `tier_moves` knows: words may name somebody, and nothing goes from the trail.
    )


def _check_for_sale(goal: TierTerms, origin: TierTerms) -> None:
    if goal.price_fen is None or goal.rank <= origin.rank:
        raise TierNotForSale
