"""A lost card: another number once, codes and visits dead, unnamed cards refused."""

from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.crm.statuses import OfflineCardStatus
from o2o.infra.audit import Actor
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, RequestId, new_id, new_request_id
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.actions.report_loss import (
    ReplacedCard,
    report_loss,
    report_offline_card_lost,
)
from o2o.membership.errors import CodeExpired
from o2o.membership.errors_identity import (
    CardReportedLost,
    CardUnknown,
    UnnamedCardNotReplaced,
)
from o2o.membership.queries import find_member_by_card, get_member_view
from o2o.membership.queries.card_fates import find_card_refusal
from o2o.membership.queries.recognition import get_member_by_card
from o2o.membership.till import Till
from tests.factories.identity import given_bought_card
from tests.factories.members import Counter, balance_of, count, given_member
from tests.fakes.clock import NOON, FakeClock


@pytest.fixture
async def named(sessions: SessionFactory, counter: Counter) -> MemberId:
    async with transaction(sessions) as tx:
        return await given_member(tx, counter.brand, is_named=True)


async def lose(
    sessions: SessionFactory, member_id: UUID, request_id: RequestId | None = None
) -> ReplacedCard:
    async with transaction(sessions) as tx:
        return await report_loss(
            tx,
            request_id=request_id or new_request_id(),
            member_id=member_id,
            by=Actor("member", member_id),
            now=NOON,
        )


async def test_the_number_is_replaced_once_and_everything_else_stays(
    sessions: SessionFactory, counter: Counter, named: MemberId
) -> None:
    request_id = new_request_id()

    first = await lose(sessions, named, request_id)
    second = await lose(sessions, named, request_id)

    assert first == second
    async with sessions() as tx:
        view = await get_member_view(tx, named, brand_id=counter.brand.id)
        assert view.card_no == first.card_no != first.lost_card_no
        brand_id = counter.brand.id
        found = await find_member_by_card(tx, brand_id=brand_id, card_no=first.lost_card_no)
        assert found is None
        refusal = await find_card_refusal(tx, brand_id=brand_id, card_no=first.lost_card_no)
        assert isinstance(refusal, CardReportedLost)
        assert refusal.status == 409
        assert await find_card_refusal(tx, brand_id=brand_id, card_no=first.card_no) is None
        elsewhere = await find_card_refusal(tx, brand_id=new_id(), card_no=first.card_no)
        assert isinstance(elsewhere, CardUnknown)
    assert await count(sessions, "cards", f"member_id = '{named}'") == 2


async def test_a_code_that_was_shown_is_dead(
    sessions: SessionFactory, counter: Counter, named: MemberId, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        shown = await issue_member_code(tx, seal=seal, member_id=named, now=NOON)
    await lose(sessions, named)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    with pytest.raises(CodeExpired):
        await till.open_visit(shown.code, by=counter.pad)
    assert await count(sessions, "counter_visits") == 0


async def test_a_lost_number_identifies_nobody_and_says_why(
    sessions: SessionFactory, counter: Counter, named: MemberId, seal: Seal, clock: FakeClock
) -> None:
    lost = await lose(sessions, named)
    till = Till(sessions=sessions, seal=seal, clock=clock)
    with pytest.raises(CardReportedLost):
        await till.open_visit(lost.lost_card_no, by=counter.pad)
    async with sessions() as tx:
        with pytest.raises(CardReportedLost):
            await get_member_by_card(tx, lost.lost_card_no, brand_id=counter.brand.id)
        assert await get_member_by_card(tx, lost.card_no, brand_id=counter.brand.id) == named
    assert await count(sessions, "counter_visits") == 0


async def test_an_unnamed_card_is_not_replaced(sessions: SessionFactory, counter: Counter) -> None:
    with pytest.raises(UnnamedCardNotReplaced):
        await lose(sessions, counter.member_id)
    assert await count(sessions, "cards", "status = 'lost'") == 0
    assert await balance_of(sessions, counter.member_id) == 10_000


async def test_a_bought_card_is_lost_for_its_own_member_only(
    sessions: SessionFactory, counter: Counter, named: MemberId, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        other = await given_bought_card(tx, counter, seal=seal)
        card_id = await tx.scalar(text("SELECT id FROM offline_cards"))

    async def report(member_id: UUID) -> None:
        async with transaction(sessions) as tx:
            await report_offline_card_lost(
                tx, member_id=member_id, card_id=card_id, by=Actor("member", named), now=NOON
            )

    with pytest.raises(UnnamedCardNotReplaced):
        await report(other)
    with pytest.raises(CardUnknown):
        await report(named)
    async with transaction(sessions) as tx:
        await tx.execute(text("UPDATE offline_cards SET member_id = :id"), {"id": named})
    await report(named)
    await report(named)
    lost = f"status = '{OfflineCardStatus.LOST}'"
    assert await count(sessions, "offline_cards", lost) == 1
    assert await count(sessions, "audit_entries", "action = 'card.reported_lost'") == 1
