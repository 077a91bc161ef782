"""Change tiers by what members did: up at once, down when their time and grace are over.

Set-based: members are locked in id order, what they spent is read once, the moves are written
together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from o2o.crm.statuses import TierMoveReason
from o2o.infra.database import Tx
from o2o.membership.actions.move_tiers import TierStepTaken, held_until, move_tiers
from o2o.membership.queries.tier_states import (
    TierState,
    TierTerms,
    find_last_move,
    list_tier_terms,
    lock_lapsed,
    lock_tier_states,
    lock_undated,
)
from o2o.membership.queries.tiers import (
    NOTHING_YET,
    TWELVE_MONTHS,
    Standing,
    list_standings,
)
from o2o.membership.rules.tiers import rises_by_visits, tier_at

EARNED = frozenset({TierMoveReason.SPEND, TierMoveReason.VISITS})


async def raise_tiers(tx: Tx, member_ids: Sequence[UUID], *, now: datetime) -> int:
    """Let members rise to what their last twelve months reach; return how many moved.

    Nobody goes down here. Who reaches the own tier again while it is only kept by grace has it
    renewed.
    """
    states = await lock_tier_states(tx, member_ids)
    terms = await list_tier_terms(tx, [state.brand_id for state in states])
    since = {state.member_id: now - TWELVE_MONTHS for state in states}
    standings = await list_standings(tx, since)
    steps = []
    for state in states:
        step = _step(state, terms[state.brand_id], standings, now=now)
        is_over = state.valid_until is not None and state.valid_until <= now
        if step.goal.rank > step.origin.rank or (
            step.goal.tier_id == step.origin.tier_id and is_over
        ):
            steps.append(step)
    await move_tiers(tx, steps, now=now)
    return len(steps)


async def lapse_tiers(tx: Tx, *, now: datetime, most: int) -> int:
    """Bring members whose tier's time is over to what their charges justify; return how many.

    Counted are the twelve months before the end of the tier and the grace after it. Who still
    reaches the tier keeps it for another term.
    """
    states = await lock_lapsed(tx, now=now, most=most)
    terms = await list_tier_terms(tx, [state.brand_id for state in states])
    since = {
        state.member_id: state.valid_until - TWELVE_MONTHS
        for state in states
        if state.valid_until is not None
    }
    standings = await list_standings(tx, since)
    steps = [
        _step(state, terms[state.brand_id], standings, now=now, down=TierMoveReason.LAPSED)
        for state in states
    ]
    await move_tiers(tx, steps, now=now)
    return len(steps)


async def date_tiers(tx: Tx, *, now: datetime, most: int) -> int:
    """Set an end for tiers that have none though they should: members who were brought in so."""
    states = await lock_undated(tx, most=most)
    terms = await list_tier_terms(tx, [state.brand_id for state in states])
    steps = []
    for state in states:
        tiers = terms[state.brand_id]
        own = _terms_of(tiers, state.tier_id)
        until = held_until(own, lowest=tiers[0], at=now, timezone=state.timezone)
        steps.append(
            TierStepTaken(
                state=state,
                origin=own,
                goal=own,
                reason=TierMoveReason.RENEWED,
                valid_until=until,
            )
        )
    await move_tiers(tx, steps, now=now)
    return len(steps)


async def take_back_tier(tx: Tx, member_id: UUID, *, now: datetime) -> bool:
    """Undo a rise that charges had led to and that no longer stands since one was reversed.

    Down to what the twelve months before the rise and everything after justify, but never below
    the tier of before. Returns whether anything moved.
    """
    states = await lock_tier_states(tx, [member_id])
    last = await find_last_move(tx, member_id)
    if not states or last is None or last.reason not in EARNED:
        return False
    [state] = states
    if last.to_tier_id != state.tier_id:
        return False
    tiers = (await list_tier_terms(tx, [state.brand_id]))[state.brand_id]
    standings = await list_standings(tx, {member_id: last.moved_at - TWELVE_MONTHS})
    step = _step(state, tiers, standings, now=now, down=TierMoveReason.TAKEN_BACK)
    before = _terms_of(tiers, last.from_tier_id)
    if max(step.goal.rank, before.rank) >= step.origin.rank:
        return False
    if step.goal.rank < before.rank:
        step = _towards(state, step.origin, before, tiers=tiers, reason=step.reason, now=now)
    await move_tiers(tx, [step], now=now)
    return True


def _step(
    state: TierState,
    tiers: Sequence[TierTerms],
    standings: Mapping[UUID, Standing],
    *,
    now: datetime,
    down: TierMoveReason = TierMoveReason.LAPSED,
) -> TierStepTaken:
    """Decide where the charges lead: up, to the same tier again, or down."""
    standing = standings.get(state.member_id, NOTHING_YET)
    reached = tier_at(
        [tier.step for tier in tiers], spent_fen=standing.spent_fen, visits=standing.visits
    )
    [goal] = [tier for tier in tiers if tier.step == reached]
    origin = _terms_of(tiers, state.tier_id)
    if goal.tier_id == origin.tier_id:
        reason = TierMoveReason.RENEWED
    elif goal.rank < origin.rank:
        reason = down
    elif rises_by_visits(goal.step, spent_fen=standing.spent_fen):
        reason = TierMoveReason.VISITS
    else:
        reason = TierMoveReason.SPEND
    return _towards(state, origin, goal, tiers=tiers, reason=reason, now=now)


def _towards(
    state: TierState,
    origin: TierTerms,
    goal: TierTerms,
    *,
    tiers: Sequence[TierTerms],
    reason: TierMoveReason,
    now: datetime,
) -> TierStepTaken:
    return TierStepTaken(
        state=state,
        origin=origin,
        goal=goal,
        reason=reason,
        valid_until=held_until(goal, lowest=tiers[0], at=now, timezone=state.timezone),
    )


def _terms_of(tiers: Sequence[TierTerms], tier_id: UUID) -> TierTerms:
    [found] = [tier for tier in tiers if tier.tier_id == tier_id]
    return found
