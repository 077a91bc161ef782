"""Deleting a member: settled first, then nothing anywhere names the person; the books stand."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, StoreId, new_id, new_request_id
from o2o.ledger.actions.debit_stored_value import (
    DebitStoredValue,
    Transferred,
    debit_stored_value,
)
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.ledger.verify import verify_ledger
from o2o.membership.actions.accept_pass_on import accept_pass_on
from o2o.membership.actions.delete_member import DeletedMember, delete_member
from o2o.membership.actions.join_membership import join_membership
from o2o.membership.actions.move_points_by_key import MovePoints, grant_points_by_key
from o2o.membership.actions.offer_pass_on import offer_pass_on
from o2o.membership.actions.reverse_by_key import ReverseByKey, reverse_debits_by_key
from o2o.membership.errors import MemberNotFound
from o2o.membership.errors_privacy import BalanceLeft, NotSettled
from o2o.membership.queries.personal_data import KNOWLEDGE
from tests.factories.members import (
    Counter,
    balance_of,
    count,
    given_balance,
    given_counter,
    given_fan,
)
from tests.fakes.clock import FakeClock
from tests.integration.privacy.everything import (
    NAME,
    NOTE,
    PHONE,
    UNIONID,
    Marked,
    fill_tables,
    given_marked_member,
    places_of,
    tables_that_know,
)

# What the factories of this test leave empty, because only other people's journeys write it.
NOT_FILLED = {
    "adjustments",
    # A place in a line and a promised arrival know the number of the member, nothing else of him.
    "bookings",
    "birthday_gifts",
    "charge_answers",
    "counter_visits",
    "import_faults",
    "ledger_holds",
    "member_merge_moves",
    "pass_on_offers",
    "points_earnings",
    "points_reminders",
    "tickets",
    "tier_moves",
}


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal, balance_fen=5_000)


@pytest.fixture
async def marked(sessions: SessionFactory, counter: Counter, clock: FakeClock) -> Marked:
    return await given_marked_member(sessions, counter, clock=clock)


async def delete(
    sessions: SessionFactory, member_id: UUID, clock: FakeClock, *, gives_up: bool = False
) -> DeletedMember:
    async with transaction(sessions) as tx:
        return await delete_member(
            tx, member_id=member_id, gives_up_balance=gives_up, now=clock.now()
        )


async def pay_with_words(
    sessions: SessionFactory, counter: Counter, marked: Marked, *, clock: FakeClock
) -> None:
    """Have a charge and its undoing explained with words that name the person."""
    words = f"{NAME} {PHONE} {NOTE}"
    payer: dict[str, Any] = {
        "member_id": MemberId(marked.member_id),
        "store_id": StoreId(counter.store.id),
        "now": clock.now(),
    }
    async with transaction(sessions) as tx:
        [paid] = await debit_stored_value(
            tx,
            [DebitStoredValue(request_id=new_request_id(), amount_fen=10, reason=words, **payer)],
        )
        assert isinstance(paid, Transferred)
        key_id = counter.key.key_id
        by_key: dict[str, Any] = {"key_id": key_id, "brand_id": None, "now": clock.now()}
        [back] = await reverse_debits_by_key(
            tx,
            [
                ReverseByKey(
                    request_id=new_request_id(),
                    transfer_id=paid.transfer_id,
                    reason=words,
                    **by_key,
                )
            ],
        )
        assert isinstance(back, Transferred)
        [granted] = await grant_points_by_key(
            tx,
            [
                MovePoints(
                    request_id=new_request_id(),
                    member_id=marked.member_id,
                    store_id=counter.store.id,
                    points=5,
                    reason=words,
                    **by_key,
                )
            ],
        )
        assert not isinstance(granted, Exception), granted
        await tx.execute(
            text(
                "INSERT INTO counter_undos"
                " (request_id, transfer_id, pad_id, staff_id, reason, undone_at)"
                " VALUES (:id, :id, :pad_id, :staff_id, :words, :now)"
            ),
            {
                "id": paid.transfer_id,
                "pad_id": counter.pad.pad_id,
                "staff_id": counter.pad.staff_id,
                "words": words,
                "now": clock.now(),
            },
        )


async def give_points(
    sessions: SessionFactory, counter: Counter, member_id: UUID, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        for expires_at in (None, clock.now() + timedelta(days=1)):
            [done] = await grant_points(
                tx,
                [
                    GrantPoints(
                        request_id=new_request_id(),
                        member_id=MemberId(member_id),
                        store_id=StoreId(counter.store.id),
                        points=60,
                        expires_at=expires_at,
                        now=clock.now(),
                    )
                ],
            )
            assert not isinstance(done, Exception), done


async def test_afterwards_nothing_anywhere_names_the_person(
    sessions: SessionFactory, counter: Counter, marked: Marked, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await given_balance(
            tx, MemberId(marked.member_id), counter.store.id, principal_fen=700, bonus_fen=70
        )
    await give_points(sessions, counter, marked.member_id, clock)
    await pay_with_words(sessions, counter, marked, clock=clock)
    await fill_tables(sessions, counter, marked, clock=clock)
    async with sessions() as tx:
        known = await tables_that_know(tx, marked)
    assert {one.table for one in KNOWLEDGE} - known == NOT_FILLED
    assert len(await places_of(sessions, marked.marks)) > 20
    clock.advance(days=2)

    deleted = await delete(sessions, marked.member_id, clock, gives_up=True)

    assert await places_of(sessions, marked.marks) == []
    assert deleted.openids == [marked.openid]
    assert await balance_of(sessions, marked.member_id) == 0
    assert await balance_of(sessions, counter.member_id) == 5_000
    assert (await verify_ledger(sessions)).is_sound
    assert await count(sessions, "members", "status = 'deleted' AND deleted_at IS NOT NULL") == 1
    assert await count(sessions, "audit_entries", "action = 'member.deleted'") == 1
    assert await count(sessions, "outbox_messages", "topic = 'member.deleted'") == 1
    with pytest.raises(MemberNotFound):
        await delete(sessions, marked.member_id, clock)


async def test_money_on_the_card_is_not_lost_by_accident(
    sessions: SessionFactory, counter: Counter, marked: Marked, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await given_balance(
            tx, MemberId(marked.member_id), counter.store.id, principal_fen=700, bonus_fen=70
        )

    with pytest.raises(BalanceLeft) as refused:
        await delete(sessions, marked.member_id, clock)

    assert refused.value.detail["principal_fen"] == 700
    assert await balance_of(sessions, marked.member_id) == 770
    assert await count(sessions, "fans", f"openid = '{marked.openid}'") == 1
    assert await count(sessions, "members", "status = 'deleted'") == 0


async def test_what_is_under_way_has_to_end_first(
    sessions: SessionFactory, counter: Counter, marked: Marked, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        await given_balance(tx, MemberId(marked.member_id), counter.store.id, principal_fen=700)
        await offer_pass_on(
            tx,
            request_id=new_request_id(),
            from_member_id=marked.member_id,
            to_member_id=counter.member_id,
            amount_fen=300,
            message="",
            seal=seal,
            now=clock.now(),
        )
        await tx.execute(
            text(
                "INSERT INTO counter_visits (id, member_id, store_id, pad_id, opened_at,"
                " expires_at) VALUES (:id, :member_id, :store_id, :pad_id, :now, :later)"
            ),
            {
                "id": new_id(),
                "member_id": marked.member_id,
                "store_id": counter.store.id,
                "pad_id": counter.pad.pad_id,
                "now": clock.now(),
                "later": clock.now() + timedelta(minutes=5),
            },
        )

    with pytest.raises(NotSettled) as refused:
        await delete(sessions, marked.member_id, clock, gives_up=True)

    assert refused.value.detail == {"what": ["offer", "visit"]}
    assert await count(sessions, "members", "status = 'deleted'") == 0


async def test_what_was_offered_to_the_member_goes_back(
    sessions: SessionFactory, counter: Counter, marked: Marked, seal: Seal, clock: FakeClock
) -> None:
    async with transaction(sessions) as tx:
        offer_id = await offer_pass_on(
            tx,
            request_id=new_request_id(),
            from_member_id=counter.member_id,
            to_member_id=marked.member_id,
            amount_fen=300,
            message=f"给{marked.marks[3]}",
            seal=seal,
            now=clock.now(),
        )
    assert await balance_of(sessions, counter.member_id) == 4_700

    await delete(sessions, marked.member_id, clock)

    assert await balance_of(sessions, counter.member_id) == 5_000
    assert await places_of(sessions, marked.marks) == []
    with pytest.raises(MemberNotFound):
        async with transaction(sessions) as tx:
            await accept_pass_on(
                tx,
                offer_id=offer_id,
                member_id=marked.member_id,
                by_link=False,
                now=clock.now(),
            )


async def test_who_follows_again_is_a_new_person(
    sessions: SessionFactory, counter: Counter, marked: Marked, clock: FakeClock
) -> None:
    await delete(sessions, marked.member_id, clock)

    async with transaction(sessions) as tx:
        fan = await given_fan(tx, counter.account, unionid=UNIONID)
        joined = await join_membership(
            tx,
            fan_id=fan.id,
            account_id=counter.account.id,
            terms_version=counter.brand.terms_version,
            is_snapshot=False,
            now=clock.now(),
        )

    assert joined.is_new
    assert joined.member_id != marked.member_id
    assert await balance_of(sessions, joined.member_id) == 0
