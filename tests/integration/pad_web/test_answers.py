"""Charges above the limits: nothing is paid without the member's yes, on the phone or by PIN."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import RequestId, new_request_id
from o2o.membership.actions.answer_charge import confirm_charge, refuse_charge
from o2o.membership.actions.pay_pin import set_pay_pin
from o2o.membership.errors_counter import ChargeNotAsked
from o2o.web.platform import Platform
from tests.factories.diners import client_of, given_diner
from tests.factories.members import Counter, balance_of, count, given_balance
from tests.factories.pads import Browser, given_code, signed_in_at
from tests.fakes.clock import FakeClock

PIN = "260817"
RICH_FEN = 100_000


@pytest.fixture
async def rich(sessions: SessionFactory, counter: Counter) -> Counter:
    """The member with 1,000 yuan; the limits as every brand begins: 200 yuan, 1,000 a day."""
    async with transaction(sessions) as tx:
        await given_balance(tx, counter.member_id, counter.store.id, principal_fen=90_000)
    return counter


async def set_limits(sessions: SessionFactory, counter: Counter, *, one: int, day: int) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(
            text(
                "UPDATE programmes SET no_pin_fen_max = :one, no_pin_daily_fen_max = :day"
                " WHERE brand_id = :id"
            ),
            {"one": one, "day": day, "id": counter.brand.id},
        )


async def ask(
    pad: Browser, visit_id: UUID, counter: Counter, yuan: str, request_id: RequestId
) -> object:
    answer = await pad.post(
        f"/pad/visits/{visit_id}/charges",
        request_id=request_id,
        member_id=counter.member_id,
        amount_yuan=yuan,
    )
    return answer.json().get("code") or answer.json()["balance_fen"]


async def test_up_to_the_limit_a_live_code_is_enough_above_it_is_not(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, rich: Counter
) -> None:
    assert await ask(pad, visit_id, rich, "200", new_request_id()) == RICH_FEN - 20_000
    above = await ask(pad, visit_id, rich, "200.01", new_request_id())
    assert above == "payment.confirmation_needed"
    assert await balance_of(sessions, rich.member_id) == RICH_FEN - 20_000
    assert await count(sessions, "charge_answers", "status = 'asked' AND amount_fen = 20001") == 1
    pushed = "topic = 'live.push' AND payload->>'event' = 'charge_asked'"
    assert await count(sessions, "outbox_messages", pushed) == 1


async def test_nobody_is_asked_for_what_the_card_does_not_hold(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, rich: Counter
) -> None:
    refused = await ask(pad, visit_id, rich, "1000.01", new_request_id())
    assert refused == "ledger.insufficient_balance"
    assert await count(sessions, "charge_answers") == 0
    asked = await ask(pad, visit_id, rich, "1000", new_request_id())
    assert asked == "payment.confirmation_needed"
    assert await balance_of(sessions, rich.member_id) == RICH_FEN


async def test_the_members_yes_on_the_phone_lets_that_charge_happen_once(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, rich: Counter, clock: FakeClock
) -> None:
    request_id = new_request_id()
    assert await ask(pad, visit_id, rich, "300", request_id) == "payment.confirmation_needed"
    wait = f"/pad/visits/{visit_id}/charges/{request_id}"
    assert "等待会员确认" in (await pad.see(wait)).text

    async with transaction(sessions) as tx:
        await confirm_charge(tx, request_id=request_id, member_id=rich.member_id, now=clock.now())
    assert "会员已同意" in (await pad.see(wait)).text
    assert await ask(pad, visit_id, rich, "300.01", request_id) == "request.body_differs"
    assert await ask(pad, visit_id, rich, "300", request_id) == RICH_FEN - 30_000
    assert await ask(pad, visit_id, rich, "300", request_id) == RICH_FEN - 30_000
    assert await count(sessions, "ledger_transfers", "kind = 'debit'") == 1
    # The yes was to that one: the next is asked about again.
    next_one = await ask(pad, visit_id, rich, "300", new_request_id())
    assert next_one == "payment.confirmation_needed"


async def test_a_no_ends_the_charge_for_ever(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, rich: Counter, clock: FakeClock
) -> None:
    request_id = new_request_id()
    await ask(pad, visit_id, rich, "300", request_id)
    asked: dict[str, Any] = {
        "request_id": request_id,
        "member_id": rich.member_id,
        "now": clock.now(),
    }
    async with transaction(sessions) as tx:
        await refuse_charge(tx, **asked)
    with pytest.raises(ChargeNotAsked):
        async with transaction(sessions) as tx:
            await confirm_charge(tx, **asked)
    assert await ask(pad, visit_id, rich, "300", request_id) == "payment.refused"
    assert await balance_of(sessions, rich.member_id) == RICH_FEN


async def test_a_yes_that_comes_after_the_visit_counts_for_nothing(
    pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    rich: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    request_id = new_request_id()
    await ask(pad, visit_id, rich, "300", request_id)
    async with transaction(sessions) as tx:
        await confirm_charge(tx, request_id=request_id, member_id=rich.member_id, now=clock.now())
    clock.advance(minutes=5)
    await pad.become(await signed_in_at(rich.pad, sessions, seal=seal, clock=clock))
    assert await ask(pad, visit_id, rich, "300", request_id) == "visit.expired"
    code = await given_code(sessions, seal=seal, member_id=rich.member_id, clock=clock)
    opened = await pad.post("/pad/visits", scanned=code)
    again = UUID(opened.json()["next"].removeprefix("/pad/visits/"))
    assert await ask(pad, again, rich, "300", request_id) == "payment.confirmation_needed"
    assert await balance_of(sessions, rich.member_id) == RICH_FEN


async def test_the_days_sum_needs_a_yes_too_and_begins_anew_with_the_business_day(
    pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    rich: Counter,
    clock: FakeClock,
) -> None:
    await set_limits(sessions, rich, one=20_000, day=30_000)
    assert await ask(pad, visit_id, rich, "200", new_request_id()) == RICH_FEN - 20_000
    over = new_request_id()
    assert await ask(pad, visit_id, rich, "100.01", over) == "payment.confirmation_needed"
    assert await ask(pad, visit_id, rich, "100", new_request_id()) == RICH_FEN - 30_000
    # What the member said yes to does not use the day's sum up.
    async with transaction(sessions) as tx:
        await confirm_charge(tx, request_id=over, member_id=rich.member_id, now=clock.now())
    assert await ask(pad, visit_id, rich, "100.01", over) == RICH_FEN - 40_001
    small = await ask(pad, visit_id, rich, "0.01", new_request_id())
    assert small == "payment.confirmation_needed"


async def test_the_pay_pin_typed_at_the_pad_is_a_yes_and_wrong_ones_are_counted(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, rich: Counter, clock: FakeClock
) -> None:
    request_id = new_request_id()
    path = f"/pad/visits/{visit_id}/charges/{request_id}/pin"
    assert (await pad.post(path, pin=PIN)).json()["code"] == "payment.not_asked"
    await ask(pad, visit_id, rich, "300", request_id)
    assert (await pad.post(path, pin=PIN)).json()["code"] == "pay_pin.missing"
    async with transaction(sessions) as tx:
        await set_pay_pin(tx, member_id=rich.member_id, pin=PIN, now=clock.now())
    assert (await pad.post(path, pin="260818")).json()["code"] == "pay_pin.wrong"
    assert await ask(pad, visit_id, rich, "300", request_id) == "payment.confirmation_needed"
    assert (await pad.post(path, pin=PIN)).status_code == 200
    assert await ask(pad, visit_id, rich, "300", request_id) == RICH_FEN - 30_000
    assert await count(sessions, "charge_answers", "answered_via = 'pay_pin'") == 1
    kept = "object_id || detail::text LIKE '%260817%'"
    assert await count(sessions, "audit_entries", kept) == 0


async def test_another_pad_tries_no_pins(
    pad: Browser, far_pad: Browser, visit_id: UUID, sessions: SessionFactory, rich: Counter
) -> None:
    request_id = new_request_id()
    await ask(pad, visit_id, rich, "300", request_id)
    path = f"/pad/visits/{visit_id}/charges/{request_id}/pin"
    assert (await far_pad.post(path, pin=PIN)).json()["code"] == "payment.not_asked"
    assert await count(sessions, "members", "pay_pin_failures > 0") == 0


async def test_the_phone_shows_the_charge_and_takes_the_answer(
    pad: Browser,
    visit_id: UUID,
    platform: Platform,
    sessions: SessionFactory,
    rich: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    request_id = new_request_id()
    await ask(pad, visit_id, rich, "300", request_id)
    mine = await given_diner(sessions, rich, seal=seal, clock=clock)
    stranger = await given_diner(sessions, rich, seal=seal, clock=clock, is_member=False)
    page = f"/h5/{mine.slug}/charges/{request_id}"
    async with client_of(platform) as phone, client_of(platform) as other_phone:
        phone.cookies.update(mine.cookies)
        other_phone.cookies.update(stranger.cookies)
        shown = await phone.get(page)
        assert "300.00" in shown.text
        assert rich.store.name in shown.text
        await other_phone.post(f"{page}/answer", data={"csrf": stranger.csrf, "is_ok": "yes"})
        assert await ask(pad, visit_id, rich, "300", request_id) == "payment.confirmation_needed"
        said = await phone.post(f"{page}/answer", data={"csrf": mine.csrf, "is_ok": "yes"})
        assert said.headers["location"].endswith(f"/charges/{request_id}?done=confirmed")
    assert await ask(pad, visit_id, rich, "300", request_id) == RICH_FEN - 30_000
