"""Tier progress from what was really paid, and a pad's own visit."""

import pytest
from sqlalchemy import text

from o2o.crm.organisation import Tier
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id, new_request_id
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.errors import MemberNotFound, VisitExpired, VisitNotYours
from o2o.membership.queries import TierProgress, get_live_visit, get_tier_progress
from o2o.membership.queries.members import list_member_contexts
from o2o.membership.till import Till
from tests.factories.members import Counter, given_counter
from tests.fakes.clock import FakeClock


async def test_progress_counts_debits_of_twelve_months_and_nothing_else(
    sessions: SessionFactory, seal: Seal, till: Till, clock: FakeClock
) -> None:
    at = await given_counter(sessions, seal=seal, unattended_debit_fen_max=10_000)
    async with transaction(sessions) as tx:
        for rank, (code, from_fen) in enumerate([("silver", 5_000), ("gold", 8_000)], start=1):
            tx.add(
                Tier(
                    id=new_id(),
                    brand_id=at.brand.id,
                    code=code,
                    name=code,
                    rank=rank,
                    spend_from_fen=from_fen,
                )
            )

    async def pay(amount_fen: int) -> None:
        await till.charge(
            request_id=new_request_id(), member_id=at.member_id, amount_fen=amount_fen, by=at.key
        )

    async def progress() -> TierProgress:
        async with sessions() as tx:
            return await get_tier_progress(tx, at.member_id, now=clock.now())

    def expected(
        spent_fen: int, earned: str, above: str, missing_fen: int, *, visits: int
    ) -> TierProgress:
        return TierProgress(
            tier_code="basic",
            tier_name="普通会员",
            spent_fen=spent_fen,
            earned_code=earned,
            next_code=above,
            next_name=above,
            missing_fen=missing_fen,
            visits=visits,
        )

    assert await progress() == expected(0, "basic", "silver", 5_000, visits=0)
    await pay(4_999)
    assert await progress() == expected(4_999, "basic", "silver", 1, visits=1)
    clock.advance(days=364)
    await pay(1)
    assert await progress() == expected(5_000, "silver", "gold", 3_000, visits=2)
    clock.advance(days=2)
    assert await progress() == expected(1, "basic", "silver", 4_999, visits=1)
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET tier_id = (SELECT id FROM tiers WHERE code = 'gold')")
        )
    at_top = await progress()
    assert (at_top.tier_code, at_top.next_code, at_top.missing_fen) == ("gold", None, None)
    async with sessions() as tx:
        with pytest.raises(MemberNotFound):
            await get_tier_progress(tx, new_id(), now=clock.now())


async def test_a_pad_reads_its_own_live_visit_only(
    sessions: SessionFactory, seal: Seal, counter: Counter, till: Till, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        shown = await issue_member_code(tx, seal=seal, member_id=counter.member_id, now=clock.now())
    visit = await till.open_visit(shown.code, by=counter.pad)
    async with sessions() as tx:
        own = {"visit_id": visit.visit_id, "pad_id": counter.pad.pad_id}
        live = await get_live_visit(tx, **own, now=clock.now())
        assert (live.visit_id, live.member_id) == (visit.visit_id, counter.member_id)
        with pytest.raises(VisitNotYours):
            await get_live_visit(
                tx, visit_id=visit.visit_id, pad_id=counter.near_pad.pad_id, now=clock.now()
            )
        with pytest.raises(VisitExpired):
            await get_live_visit(tx, **own, now=visit.expires_at)


async def test_contexts_leave_out_who_is_not_there(
    sessions: SessionFactory, counter: Counter
) -> None:
    async with sessions() as tx:
        found = await list_member_contexts(tx, [counter.member_id, new_id(), counter.member_id])
    assert list(found) == [counter.member_id]
    assert found[counter.member_id].wallet.balance_fen == 10_000
