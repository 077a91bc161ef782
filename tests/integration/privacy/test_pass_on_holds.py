"""What is set aside for an offer is the offer's alone: no key sells for it, no sweep strands it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, new_request_id
from o2o.ledger.actions.end_holds import expire_holds
from o2o.ledger.errors import HoldNotFound
from o2o.membership.actions.accept_pass_on import accept_pass_on
from o2o.membership.actions.offer_pass_on import offer_pass_on
from o2o.membership.actions.withdraw_pass_on import return_due_offers
from o2o.membership.desk import Desk
from tests.factories.members import Counter, balance_of, count
from tests.fakes.clock import FakeClock


@pytest.fixture
async def offer_id(
    sessions: SessionFactory, counter: Counter, friend: MemberId, seal: Seal, clock: FakeClock
) -> UUID:
    async with transaction(sessions) as tx:
        return await offer_pass_on(
            tx,
            request_id=new_request_id(),
            from_member_id=counter.member_id,
            to_member_id=friend,
            amount_fen=3_000,
            message="",
            seal=seal,
            now=clock.now(),
        )


@pytest.mark.parametrize("ending", ["post", "void"])
async def test_a_key_neither_sells_for_an_offer_nor_gives_it_back(
    ending: str,
    sessions: SessionFactory,
    counter: Counter,
    friend: MemberId,
    offer_id: UUID,
    seal: Seal,
    clock: FakeClock,
) -> None:
    desk = Desk(sessions=sessions, seal=seal, clock=clock)
    async with sessions() as tx:
        hold_id = await tx.scalar(text("SELECT hold_id FROM pass_on_offers"))
    asked: dict[str, Any] = {
        "request_id": new_request_id(),
        "hold_id": hold_id,
        "key_id": counter.key.key_id,
        "brand_id": counter.key.brand_id,
    }

    with pytest.raises(HoldNotFound):
        await (
            desk.post_hold(amount_fen=1, **asked) if ending == "post" else desk.void_hold(**asked)
        )

    assert await count(sessions, "ledger_holds", "status = 'pending'") == 1
    assert await balance_of(sessions, counter.member_id) == 7_000
    async with transaction(sessions) as tx:
        await accept_pass_on(
            tx, offer_id=offer_id, member_id=friend, by_link=False, now=clock.now()
        )
    assert await balance_of(sessions, friend) == 3_000


async def test_an_offer_ends_though_its_hold_went_back_by_itself(
    sessions: SessionFactory, counter: Counter, offer_id: UUID, clock: FakeClock
) -> None:
    later = clock.now() + timedelta(days=8)
    async with transaction(sessions) as tx:
        assert await expire_holds(tx, now=later, limit=10) == 1
    assert await balance_of(sessions, counter.member_id) == 10_000

    async with transaction(sessions) as tx:
        await return_due_offers(tx, later)

    assert await count(sessions, "pass_on_offers", f"id = '{offer_id}' AND status = 'returned'")
    assert await balance_of(sessions, counter.member_id) == 10_000
