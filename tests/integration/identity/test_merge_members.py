"""Two members become one and come apart again: money, rows, profile, consents; each thing once."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.members import Member
from o2o.infra.audit import Actor
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.idempotency import RequestBodyDiffers
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, new_request_id
from o2o.ledger.queries import get_wallet
from o2o.membership.actions.answer_marketing import answer_marketing
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.actions.merge_members import MergedMembers, merge_members
from o2o.membership.actions.unmerge_members import unmerge_members
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_identity import (
    LaterMergeFirst,
    MemberMergedAway,
    MergeTooOld,
    MergeUndone,
    NotOneBrand,
)
from o2o.membership.queries import find_member_by_card, get_member_view
from o2o.membership.queries.identity import list_merged_members
from o2o.membership.queries.merge_preview import list_undoable_merges
from o2o.membership.till import Till
from tests.factories.identity import given_phone, given_someone, member_of, status_of
from tests.factories.members import Counter, balance_of, count, given_balance, given_member
from tests.factories.organisation import given_brand
from tests.fakes.clock import NOON, FakeClock

BY = Actor("staff")


async def merge(
    sessions: SessionFactory, one: MemberId, into: MemberId, *, request_id: UUID | None = None
) -> MergedMembers:
    async with transaction(sessions) as tx:
        return await merge_members(
            tx,
            request_id=request_id or new_request_id(),  # type: ignore[arg-type]  # an id is an id
            from_member_id=one,
            into_member_id=into,
            by=BY,
            now=NOON,
        )


async def undo(
    sessions: SessionFactory,
    merged: MergedMembers,
    *,
    after: timedelta = timedelta(),
    request_id: UUID | None = None,
) -> None:
    async with transaction(sessions) as tx:
        await unmerge_members(
            tx,
            request_id=request_id or new_request_id(),  # type: ignore[arg-type]  # an id is an id
            merge_id=merged.merge_id,
            by=BY,
            now=NOON + after,
        )


async def two(sessions: SessionFactory, counter: Counter) -> tuple[MemberId, MemberId]:
    """The counter's member with 100 yuan, and one who goes into it with 30."""
    async with transaction(sessions) as tx:
        other = await given_member(tx, counter.brand)
        await given_balance(tx, other, counter.store.id, principal_fen=2_000, bonus_fen=1_000)
    return counter.member_id, other


async def test_money_fans_and_phone_go_to_the_survivor_and_the_card_is_replaced(
    sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        someone = await given_someone(tx, counter, balance_fen=3_000)
        assert someone.member_id is not None
        await given_phone(tx, counter.brand, someone.member_id, "13800010001")
        card_no = await tx.scalar(
            text("SELECT card_no FROM cards WHERE member_id = :id"), {"id": someone.member_id}
        )

    merged = await merge(sessions, someone.member_id, counter.member_id)

    assert merged.member_id == counter.member_id
    assert merged.undo_until == NOON + timedelta(days=7)
    assert await status_of(sessions, someone.member_id) == ("merged", counter.member_id)
    assert await balance_of(sessions, counter.member_id) == 13_000
    assert await balance_of(sessions, someone.member_id) == 0
    assert await member_of(sessions, someone.fan_id) == counter.member_id
    async with sessions() as tx:
        member = await tx.get_one(Member, counter.member_id)
        assert member.phone == "13800010001"
        assert member.phone_verified_at == NOON
        assert await find_member_by_card(tx, brand_id=counter.brand.id, card_no=card_no) is None
        # Reads follow to the survivor; what happened before stands under the old id.
        view = await get_member_view(tx, someone.member_id, brand_id=counter.brand.id)
        assert (view.id, view.balance_fen) == (counter.member_id, 13_000)
        assert await list_merged_members(tx, counter.member_id) == [someone.member_id]
    assert await count(sessions, "audit_entries", "action = 'member.merged'") == 1
    assert await count(sessions, "outbox_messages", "topic = 'member.merged'") == 1


async def test_sent_again_it_is_answered_and_for_somebody_else_it_is_refused(
    sessions: SessionFactory, counter: Counter
) -> None:
    into, other = await two(sessions, counter)
    request_id = new_request_id()

    first = await merge(sessions, other, into, request_id=request_id)
    second = await merge(sessions, other, into, request_id=request_id)

    assert (second.merge_id, second.is_replay, first.is_replay) == (first.merge_id, True, False)
    assert await balance_of(sessions, into) == 13_000
    with pytest.raises(RequestBodyDiffers):
        await merge(sessions, into, other, request_id=request_id)
    assert await count(sessions, "member_merges") == 1


async def test_who_is_merged_deleted_or_of_another_brand_is_refused_and_nothing_moves(
    sessions: SessionFactory, counter: Counter
) -> None:
    into, other = await two(sessions, counter)
    async with transaction(sessions) as tx:
        stranger = await given_member(tx, await given_brand(tx))
        gone = await given_member(tx, counter.brand)
        await tx.execute(
            text("UPDATE members SET status = 'deleted', deleted_at = :now WHERE id = :id"),
            {"id": gone, "now": NOON},
        )
    with pytest.raises(NotOneBrand):
        await merge(sessions, into, into)
    with pytest.raises(NotOneBrand):
        await merge(sessions, stranger, into)
    with pytest.raises(MemberNotFound):
        await merge(sessions, gone, into)
    await merge(sessions, other, into)
    with pytest.raises(MemberMergedAway) as refused:
        await merge(sessions, other, into)
    assert refused.value.detail["survivor_member_id"] == str(into)
    assert await balance_of(sessions, into) == 13_000
    assert await count(sessions, "member_merges") == 1


async def test_codes_and_visits_of_the_merged_one_end_and_its_money_is_asked_of_the_survivor(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    into, other = await two(sessions, counter)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    async with transaction(sessions) as tx:
        shown = await issue_member_code(tx, seal=seal, member_id=other, now=NOON)
    visit = await till.open_visit(shown.code, by=counter.pad)

    await merge(sessions, other, into)

    with pytest.raises(MemberMergedAway) as refused:
        await till.charge(
            request_id=new_request_id(),
            member_id=other,
            amount_fen=100,
            by=counter.pad,
            visit_id=visit.visit_id,
        )
    assert refused.value.detail["survivor_member_id"] == str(into)
    assert await balance_of(sessions, into) == 13_000
    assert await count(sessions, "counter_visits", "closed_at IS NULL") == 0


async def test_what_was_done_before_is_still_answered_to_whoever_sends_it_again(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    into, other = await two(sessions, counter)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    async with transaction(sessions) as tx:
        shown = await issue_member_code(tx, seal=seal, member_id=other, now=NOON)
    visit = await till.open_visit(shown.code, by=counter.pad)
    request_id = new_request_id()
    first = await till.charge(
        request_id=request_id,
        member_id=other,
        amount_fen=500,
        by=counter.pad,
        visit_id=visit.visit_id,
    )
    await merge(sessions, other, into)

    again = await till.charge(
        request_id=request_id,
        member_id=other,
        amount_fen=500,
        by=counter.pad,
        visit_id=visit.visit_id,
    )

    assert again.transfer_id == first.transfer_id
    assert await balance_of(sessions, into) == 12_500


async def test_undone_everything_goes_back_by_origin_as_far_as_unspent(
    sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        someone = await given_someone(tx, counter, balance_fen=3_000)
        other = someone.member_id
        assert other is not None
        await given_phone(tx, counter.brand, other, "13800010001")
    merged = await merge(sessions, other, counter.member_id)

    await undo(sessions, merged, after=timedelta(days=6))

    assert await status_of(sessions, other) == ("active", None)
    assert await balance_of(sessions, counter.member_id) == 10_000
    assert await balance_of(sessions, other) == 3_000
    assert await member_of(sessions, someone.fan_id) == other
    async with sessions() as tx:
        assert (await tx.get_one(Member, counter.member_id)).phone is None
        view = await get_member_view(tx, other, brand_id=counter.brand.id)
        assert view.phone_masked == "138****0001"
        assert (await get_wallet(tx, counter.member_id)).principal_fen == 10_000
    assert await count(sessions, "member_identities", f"member_id = '{other}'") == 1
    assert await count(sessions, "cards", f"member_id = '{other}' AND status = 'active'") == 1


async def test_a_merge_is_undone_once_within_seven_days_and_the_later_one_first(
    sessions: SessionFactory, counter: Counter
) -> None:
    into, other = await two(sessions, counter)
    async with transaction(sessions) as tx:
        third = await given_member(tx, counter.brand)
    merged = await merge(sessions, other, into)
    later = await merge(sessions, into, third)

    with pytest.raises(LaterMergeFirst):
        await undo(sessions, merged)
    with pytest.raises(MergeTooOld):
        await undo(sessions, later, after=timedelta(days=7))
    request_id = new_request_id()
    await undo(sessions, later, request_id=request_id)
    await undo(sessions, later, request_id=request_id)
    with pytest.raises(MergeUndone):
        await undo(sessions, later)
    await undo(sessions, merged)

    assert [await balance_of(sessions, id_) for id_ in (into, other, third)] == [10_000, 3_000, 0]


async def test_what_the_survivor_changed_since_stays(
    sessions: SessionFactory, counter: Counter
) -> None:
    into, other = await two(sessions, counter)
    async with transaction(sessions) as tx:
        (await tx.get_one(Member, other)).name = "王小明"
    merged = await merge(sessions, other, into)
    async with transaction(sessions) as tx:
        member = await tx.get_one(Member, into)
        assert member.name == "王小明"
        member.name = "王大明"

    await undo(sessions, merged)

    async with sessions() as tx:
        assert (await tx.get_one(Member, into)).name == "王大明"
        assert (await tx.get_one(Member, other)).name == "王小明"


@pytest.mark.parametrize(
    "own,others,is_bound,kept",
    [(True, False, True, False), (True, True, True, True), (True, False, False, True)],
)
async def test_the_stricter_answer_to_offers_holds(
    sessions: SessionFactory,
    counter: Counter,
    own: bool,
    others: bool,
    is_bound: bool,
    kept: bool,
) -> None:
    into, other = await two(sessions, counter)
    async with transaction(sessions) as tx:
        if is_bound:
            await given_someone(tx, counter, member_id=other)
        for member_id, is_wanted in ((into, own), (other, others)):
            await answer_marketing(
                tx, member_id=member_id, is_wanted=is_wanted, terms_version="2026-01", now=NOON
            )

    merged = await merge(sessions, other, into)

    wanted = f"member_id = '{into}' AND purpose = 'marketing' AND withdrawn_at IS NULL"
    assert await count(sessions, "consents", wanted) == int(kept)
    await undo(sessions, merged)
    assert await count(sessions, "consents", wanted) == int(own)


async def test_the_survivor_sees_what_can_be_undone(
    sessions: SessionFactory, counter: Counter
) -> None:
    into, other = await two(sessions, counter)
    merged = await merge(sessions, other, into)
    async with sessions() as tx:
        [shown] = await list_undoable_merges(tx, into, now=NOON + timedelta(days=6))
        assert (shown.merge_id, shown.merged_member_id) == (merged.merge_id, other)
        assert await list_undoable_merges(tx, into, now=NOON + timedelta(days=7)) == []
