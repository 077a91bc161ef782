"""Identified without a code: by phone tail or printed card. Money comes in; out only with a yes."""

from uuid import UUID

import pytest
from sqlalchemy import select

from o2o.crm.members import Card, Member
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from o2o.membership.actions.answer_charge import confirm_charge
from tests.factories.members import Counter, balance_of, count, given_member
from tests.factories.organisation import given_brand
from tests.factories.pads import Browser
from tests.fakes.clock import NOON, FakeClock


@pytest.fixture
async def named(sessions: SessionFactory, counter: Counter) -> Counter:
    """The member gave a name and a phone; so did somebody of another brand."""
    async with transaction(sessions) as tx:
        member = await tx.get_one(Member, counter.member_id)
        member.name, member.phone, member.phone_verified_at = "林晓月", "19900005678", NOON
        other = await given_brand(tx)
        stranger = await tx.get_one(Member, await given_member(tx, other))
        stranger.name, stranger.phone, stranger.phone_verified_at = "陈陌", "19911115678", NOON
    return counter


async def visit_by_phone(pad: Browser, counter: Counter, tail: str = "5678") -> UUID:
    answer = await pad.post("/pad/visits/by-phone", tail=tail, member_id=counter.member_id)
    assert answer.status_code == 200, answer.text
    return UUID(answer.json()["next"].removeprefix("/pad/visits/"))


async def test_the_own_brands_members_are_found_masked(pad: Browser, named: Counter) -> None:
    page = (await pad.send("/pad/lookup", tail="5678")).text
    assert "林**" in page
    assert "199****5678" in page
    assert "19900005678" not in page
    assert "陈" not in page.split("lookup-list")[1]
    assert "没有找到" in (await pad.send("/pad/lookup", tail="0000")).text


@pytest.mark.parametrize("tail", ["567", "", "567a", "%678", "123456789012", "５６７"])
async def test_less_than_four_digits_find_nobody(tail: str, pad: Browser, named: Counter) -> None:
    answer = await pad.post("/pad/lookup", tail=tail)
    assert (answer.status_code, answer.json()["code"]) == (422, "lookup.tail_too_short")


async def test_looking_up_is_limited(pad: Browser, named: Counter, clock: FakeClock) -> None:
    for number in range(20):
        assert (await pad.post("/pad/lookup", tail=f"{number:04}")).status_code == 200
    locked = await pad.post("/pad/lookup", tail="5678")
    assert (locked.status_code, locked.json()["code"]) == (429, "lookup.locked")
    chosen = await pad.post("/pad/visits/by-phone", tail="5678", member_id=named.member_id)
    assert chosen.json()["code"] == "lookup.locked"


async def test_who_was_looked_up_is_not_counted_again_but_a_wrong_choice_is(
    pad: Browser, named: Counter
) -> None:
    right = {"tail": "5678", "member_id": str(named.member_id)}
    for _ in range(20):
        assert (await pad.post("/pad/lookup", tail="5678")).status_code == 200
    assert (await pad.post("/pad/visits/by-phone", **right)).status_code == 200

    wrong = await pad.post("/pad/visits/by-phone", tail="9999", member_id=str(named.member_id))
    locked = await pad.post("/pad/visits/by-phone", **right)

    assert [(one.status_code, one.json()["code"]) for one in (wrong, locked)] == [
        (429, "lookup.locked"),
        (429, "lookup.locked"),
    ]


async def test_choosing_somebody_whose_phone_ends_otherwise_opens_nothing(
    pad: Browser, named: Counter, sessions: SessionFactory
) -> None:
    answer = await pad.post("/pad/visits/by-phone", tail="0000", member_id=named.member_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "member.not_found")
    assert await count(sessions, "counter_visits") == 0


async def test_one_yuan_needs_the_members_yes_and_the_balance_is_not_shown(
    pad: Browser, named: Counter, sessions: SessionFactory, clock: FakeClock
) -> None:
    visit_id = await visit_by_phone(pad, named)
    page = (await pad.see(f"/pad/visits/{visit_id}")).text
    assert "只确认了会员身份" in page
    assert "100.00" not in page
    request_id = new_request_id()
    fields = {
        "request_id": request_id,
        "member_id": named.member_id,
        "amount_yuan": "1",
    }
    path = f"/pad/visits/{visit_id}/charges"
    assert (await pad.post(path, **fields)).json()["code"] == "payment.confirmation_needed"
    assert await balance_of(sessions, named.member_id) == 10_000
    topped_up = await pad.post(
        f"/pad/visits/{visit_id}/top-ups",
        request_id=new_request_id(),
        member_id=named.member_id,
        principal_yuan="50",
        tender="cash",
    )
    assert topped_up.json()["balance_fen"] == 15_000
    async with transaction(sessions) as tx:
        await confirm_charge(tx, request_id=request_id, member_id=named.member_id, now=clock.now())
    assert (await pad.post(path, **fields)).json()["balance_fen"] == 14_900


async def test_a_printed_card_identifies_and_never_pays(
    pad: Browser, named: Counter, sessions: SessionFactory, seal: Seal
) -> None:
    async with transaction(sessions) as tx:
        card_no = await tx.scalar(select(Card.card_no).where(Card.member_id == named.member_id))
    opened = await pad.post("/pad/visits", scanned=card_no)
    visit_id = UUID(opened.json()["next"].removeprefix("/pad/visits/"))
    charged = await pad.charge(visit_id, named.member_id, "1")
    assert charged.json()["code"] == "payment.confirmation_needed"
    assert await balance_of(sessions, named.member_id) == 10_000
    assert await count(sessions, "counter_visits", "via = 'card_no'") == 1
