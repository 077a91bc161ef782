"""Write tier moves down: the members' rows, the history and the event, in three statements."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from o2o.crm.statuses import TierMoveReason
from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.kernel.ids import BrandId, MemberId, RequestId, new_id
from o2o.membership.events import TierChanged
from o2o.membership.queries.tier_states import TierState, TierTerms
from o2o.membership.rules.periods import end_of_month_after


class TierStepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """One member's way from a tier to a tier, decided but not written yet."""

    state: TierState
    origin: TierTerms
    goal: TierTerms
    reason: TierMoveReason
    # The lowest tier holds for ever, and so does one without an end.
    valid_until: datetime | None
    staff_id: UUID | None = None
    note: str | None = None
    request_id: RequestId | None = None


_UPDATE = text(
    "UPDATE members m SET tier_id = w.tier_id, tier_valid_until = w.valid_until"
    " FROM unnest(CAST(:member_ids AS uuid[]), CAST(:tier_ids AS uuid[]),"
    " CAST(:untils AS timestamptz[])) AS w(member_id, tier_id, valid_until)"
    " WHERE m.id = w.member_id"
)
_INSERT = text(
    "INSERT INTO tier_moves (id, member_id, from_tier_id, to_tier_id, reason, valid_until,"
    " staff_id, note, request_id, moved_at)"
    " SELECT id, member_id, from_id, to_id, reason, valid_until, staff_id, note, request_id, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:member_ids AS uuid[]), CAST(:from_ids AS uuid[]),"
    " CAST(:to_ids AS uuid[]), CAST(:reasons AS text[]), CAST(:untils AS timestamptz[]),"
    " CAST(:staff_ids AS uuid[]), CAST(:notes AS text[]), CAST(:request_ids AS uuid[]))"
    " AS w(id, member_id, from_id, to_id, reason, valid_until, staff_id, note, request_id)"
)


def held_until(
    goal: TierTerms, *, lowest: TierTerms, at: datetime, timezone: str
) -> datetime | None:
    """Return until when a tier that begins now holds: to the end of a month, in the local zone."""
    if goal.valid_months is None or goal.tier_id == lowest.tier_id:
        return None
    return end_of_month_after(at, months=goal.valid_months, timezone=timezone)


async def move_tiers(tx: Tx, steps: Sequence[TierStepTaken], *, now: datetime) -> None:
    """Write the steps of members who are locked. Publishes tier.changed for those who moved."""
    if not steps:
        return
    common = {
        "member_ids": [step.state.member_id for step in steps],
        "untils": [step.valid_until for step in steps],
    }
    await tx.execute(_UPDATE, {**common, "tier_ids": [step.goal.tier_id for step in steps]})
    await tx.execute(
        _INSERT,
        {
            **common,
            "now": now,
            "ids": [new_id() for _ in steps],
            "from_ids": [step.origin.tier_id for step in steps],
            "to_ids": [step.goal.tier_id for step in steps],
            "reasons": [step.reason.value for step in steps],
            "staff_ids": [step.staff_id for step in steps],
            "notes": [step.note for step in steps],
            "request_ids": [step.request_id for step in steps],
        },
    )
    moved = [_event(step, now=now) for step in steps if step.goal.tier_id != step.origin.tier_id]
    if moved:
        await publish(tx, *moved, now=now)


def _event(step: TierStepTaken, *, now: datetime) -> TierChanged:
    return TierChanged(
        member_id=MemberId(step.state.member_id),
        brand_id=BrandId(step.state.brand_id),
        from_code=step.origin.step.code,
        to_code=step.goal.step.code,
        to_name=step.goal.step.name,
        is_up=step.goal.rank > step.origin.rank,
        reason=step.reason.value,
        valid_until=step.valid_until,
        at=now,
    )
