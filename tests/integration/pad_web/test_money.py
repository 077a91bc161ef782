"""Charging and topping up at the pad: exact amounts, every refusal with nothing moved, replays."""

import re
from uuid import UUID

import httpx
import pytest

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from tests.factories.members import Counter, balance_of, count
from tests.factories.organisation import given_brand
from tests.factories.packages import given_package
from tests.factories.pads import Browser, signed_in_at
from tests.fakes.clock import NOON, FakeClock

BALANCE_FEN = 10_000
TRANSFERS_BEFORE = 1


async def nothing_moved(sessions: SessionFactory, counter: Counter) -> bool:
    return (
        await balance_of(sessions, counter.member_id) == BALANCE_FEN
        and await count(sessions, "ledger_transfers") == TRANSFERS_BEFORE
    )


def top_up_fields(counter: Counter, principal: str, **changed: object) -> dict[str, object]:
    return {
        "request_id": new_request_id(),
        "member_id": counter.member_id,
        "principal_yuan": principal,
        "package_id": "",
        "tender": "cash",
        **changed,
    }


async def test_a_charge_moves_the_amount_and_shows_its_receipt(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    answer = await pad.charge(visit_id, counter.member_id, "38.5")
    assert answer.status_code == 200
    told = answer.json()
    assert told["balance_fen"] == 6_150
    assert await balance_of(sessions, counter.member_id) == 6_150

    receipt = (await pad.see(told["next"])).text
    assert "扣款成功" in receipt
    assert "38.50" in receipt
    assert "61.50" in receipt
    assert told["transfer_id"].replace("-", "")[-8:].upper() in receipt
    assert f"/pad/visits/{visit_id}" in receipt


async def test_a_plain_form_goes_on_to_the_receipt(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    await pad.see(f"/pad/visits/{visit_id}")
    answer = await pad.send(
        f"/pad/visits/{visit_id}/charges",
        request_id=new_request_id(),
        member_id=counter.member_id,
        amount_yuan="100",
    )
    assert answer.status_code == 303
    assert re.fullmatch(r"/pad/receipts/[0-9a-f-]{36}", answer.headers["location"])
    assert await balance_of(sessions, counter.member_id) == 0


@pytest.mark.parametrize(
    "typed",
    ["", " ", "-1", "+5", "1e3", "1,000", "0.001", "1.234", "３８", "¥5", "NaN", "1/2", "0x10"],
)
async def test_what_is_no_amount_moves_nothing(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter, typed: str
) -> None:
    charged = await pad.charge(visit_id, counter.member_id, typed)
    assert (charged.status_code, charged.json()["code"]) == (422, "amount.not_money")
    assert charged.json()["field"] == "amount_yuan"
    fields = top_up_fields(counter, typed)
    topped_up = await pad.post(f"/pad/visits/{visit_id}/top-ups", **fields)
    assert (topped_up.status_code, topped_up.json()["code"]) == (422, "amount.not_money")
    assert await nothing_moved(sessions, counter)


async def test_amounts_beyond_every_limit_move_nothing(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    refusals = {
        "0": (422, "ledger.amount_out_of_range"),
        "0.00": (422, "ledger.amount_out_of_range"),
        "99999999.99": (422, "ledger.amount_out_of_range"),
        "999999999": (422, "amount.not_money"),
        "100.01": (409, "ledger.insufficient_balance"),
        "9" * 65: (422, "request.invalid"),
    }
    for typed, (status, code) in refusals.items():
        answer = await pad.charge(visit_id, counter.member_id, typed)
        assert (typed, answer.status_code, answer.json()["code"]) == (typed, status, code)
    assert await nothing_moved(sessions, counter)


async def test_too_little_is_said_in_the_page_with_what_was_typed(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    await pad.see(f"/pad/visits/{visit_id}")
    answer = await pad.send(
        f"/pad/visits/{visit_id}/charges",
        request_id=new_request_id(),
        member_id=counter.member_id,
        amount_yuan="100.01",
    )
    assert answer.status_code == 409
    assert "余额不足，卡内现有 ¥100.00" in answer.text
    assert 'value="100.01"' in answer.text
    assert await nothing_moved(sessions, counter)


async def test_the_same_intention_happens_once_also_after_the_visit(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    path = f"/pad/visits/{visit_id}/charges"
    asked = {
        "request_id": new_request_id(),
        "member_id": counter.member_id,
        "amount_yuan": "20.00",
    }
    first = await pad.post(path, **asked)
    second = await pad.post(path, **asked)
    await pad.post(f"/pad/visits/{visit_id}/end")
    clock.advance(seconds=30)
    third = await pad.post(path, **asked)

    assert [a.status_code for a in (first, second, third)] == [200, 200, 200]
    assert first.json() == second.json() == third.json()
    assert await balance_of(sessions, counter.member_id) == 8_000

    other = await pad.post(path, **{**asked, "amount_yuan": "21.00"})
    assert (other.status_code, other.json()["code"]) == (409, "request.body_differs")
    assert await balance_of(sessions, counter.member_id) == 8_000


async def refused_everywhere(
    browser: Browser, visit_id: UUID, counter: Counter
) -> set[tuple[int, str]]:
    """Try both ways to move money; return how they were refused."""
    answers: list[httpx.Response] = [
        await browser.charge(visit_id, counter.member_id, "5"),
        await browser.post(f"/pad/visits/{visit_id}/top-ups", **top_up_fields(counter, "5")),
    ]
    return {(answer.status_code, answer.json()["code"]) for answer in answers}


async def test_money_moves_in_the_pads_own_live_visit_only(
    pad: Browser,
    far_pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    counter: Counter,
    clock: FakeClock,
) -> None:
    assert await refused_everywhere(far_pad, visit_id, counter) == {(403, "visit.not_yours")}
    assert await refused_everywhere(pad, new_request_id(), counter) == {(403, "visit.not_yours")}
    for _ in range(3):
        clock.advance(seconds=100)
        await pad.client.get("/pad/presence")
    assert await refused_everywhere(pad, visit_id, counter) == {(410, "visit.expired")}
    assert await nothing_moved(sessions, counter)


async def test_without_the_pages_token_or_a_session_nothing_moves(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter, clock: FakeClock
) -> None:
    token, pad.csrf = pad.csrf, "0" * 64
    assert await refused_everywhere(pad, visit_id, counter) == {(403, "csrf.token_missing")}
    pad.csrf = token
    clock.advance(seconds=121)
    assert await refused_everywhere(pad, visit_id, counter) == {(401, "pad.locked")}
    assert await nothing_moved(sessions, counter)


async def test_an_expired_visit_sends_a_plain_form_back_to_scanning(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    await pad.post(f"/pad/visits/{visit_id}/end")
    answer = await pad.send(
        f"/pad/visits/{visit_id}/charges",
        request_id=new_request_id(),
        member_id=counter.member_id,
        amount_yuan="5",
    )
    assert answer.status_code == 410
    assert 'name="scanned"' in answer.text
    assert await nothing_moved(sessions, counter)


async def test_broken_fields_are_refused(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    path = f"/pad/visits/{visit_id}/top-ups"
    broken = [
        top_up_fields(counter, "5", request_id="1"),
        top_up_fields(counter, "5", member_id="nobody"),
        top_up_fields(counter, "5", tender="gold"),
        top_up_fields(counter, "5", store_id=counter.far_store.id),
        {},
    ]
    for fields in broken:
        assert (await pad.post(path, **fields)).status_code == 422
    assert (await pad.post("/pad/visits/1/charges", amount_yuan="5")).status_code == 404
    assert await nothing_moved(sessions, counter)


async def test_a_package_brings_what_the_marketer_wrote_whatever_the_form_says(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        package_id = await given_package(tx, counter.brand.id, bonus_points=30)
    fields = top_up_fields(counter, "1", package_id=package_id, tender="bank_card")
    answer = await pad.post(f"/pad/visits/{visit_id}/top-ups", **fields)
    assert answer.status_code == 200
    assert answer.json()["balance_fen"] == 32_000

    receipt = (await pad.see(answer.json()["next"])).text
    for text in ("充值成功", "220.00", "200.00", "20.00", "320.00", "银行卡"):
        assert text in receipt
    again = await pad.post(f"/pad/visits/{visit_id}/top-ups", **fields)
    assert again.json() == answer.json()
    assert await balance_of(sessions, counter.member_id) == 32_000
    assert await count(sessions, "ledger_transfers", "kind = 'points_earned' AND amount = 30") == 1


@pytest.mark.parametrize("kind", ["withdrawn", "other_store", "other_brand", "unknown", "broken"])
async def test_what_is_not_on_offer_here_is_not_sold(
    kind: str, pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        package_id: object = {
            "withdrawn": await given_package(tx, counter.brand.id, withdrawn_at=NOON),
            "other_store": await given_package(tx, counter.brand.id, store_id=counter.far_store.id),
            "other_brand": await given_package(tx, brand.id),
            "unknown": new_request_id(),
            "broken": "20000",
        }[kind]
    fields = top_up_fields(counter, "200", package_id=package_id)
    answer = await pad.post(f"/pad/visits/{visit_id}/top-ups", **fields)
    assert (answer.status_code, answer.json()["code"]) == (409, "package.not_offered")
    assert await nothing_moved(sessions, counter)


async def test_a_free_amount_brings_no_bonus_and_none_can_be_asked_for(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    path = f"/pad/visits/{visit_id}/top-ups"
    asked = await pad.post(path, **top_up_fields(counter, "50"), bonus_yuan="5")
    assert (asked.status_code, asked.json()["code"]) == (422, "field.not_allowed")
    assert await nothing_moved(sessions, counter)
    plain = await pad.post(path, **top_up_fields(counter, "50"))
    assert plain.json()["balance_fen"] == 15_000
    assert await count(sessions, "ledger_transfers", "kind = 'top_up_bonus'") == 0


async def test_a_card_never_holds_more_than_it_may(
    pad: Browser, visit_id: UUID, sessions: SessionFactory, counter: Counter
) -> None:
    async with transaction(sessions) as tx:
        package_id = await given_package(tx, counter.brand.id, principal_fen=90_000, bonus_fen=1)
    path = f"/pad/visits/{visit_id}/top-ups"
    beyond = await pad.post(path, **top_up_fields(counter, "", package_id=package_id))
    assert (beyond.status_code, beyond.json()["code"]) == (422, "ledger.balance_limit_exceeded")
    negative = await pad.post(path, **top_up_fields(counter, "-1"))
    assert (negative.status_code, negative.json()["field"]) == (422, "principal_yuan")
    assert await nothing_moved(sessions, counter)
    full = await pad.post(path, **top_up_fields(counter, "900"))
    assert full.json()["balance_fen"] == 100_000


async def test_receipts_stay_in_their_store(
    pad: Browser, far_pad: Browser, visit_id: UUID, counter: Counter
) -> None:
    receipt = (await pad.charge(visit_id, counter.member_id, "1")).json()["next"]
    assert (await pad.see(receipt)).status_code == 200
    assert (await far_pad.see(receipt)).status_code == 404
    assert (await pad.see(f"/pad/receipts/{new_request_id()}")).status_code == 404


async def test_today_lists_what_this_pad_did(
    pad: Browser,
    far_pad: Browser,
    visit_id: UUID,
    sessions: SessionFactory,
    counter: Counter,
    seal: Seal,
    clock: FakeClock,
) -> None:
    await pad.charge(visit_id, counter.member_id, "12.34")
    await pad.post(f"/pad/visits/{visit_id}/top-ups", **top_up_fields(counter, "55"))
    page = (await pad.see("/pad/scan")).text
    assert "12.34" in page
    assert "55.00" in page
    assert f'href="/pad/visits/{visit_id}"' in page
    assert "12.34" not in (await far_pad.see("/pad/scan")).text

    # Another day begins in the store at four in the morning; the clerk signs in anew.
    clock.advance(hours=12)
    await pad.become(await signed_in_at(counter.pad, sessions, seal=seal, clock=clock))
    assert "12.34" in (await pad.see("/pad/scan")).text
    clock.advance(hours=4)
    await pad.become(await signed_in_at(counter.pad, sessions, seal=seal, clock=clock))
    tomorrow = await pad.see("/pad/scan")
    assert (tomorrow.status_code, "12.34" in tomorrow.text) == (200, False)
