"""The JSON API finds members by what a till has in hand, and reads their statements."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.membership.actions.issue_member_code import issue_member_code
from tests.factories.members import Counter, count, given_counter, given_fan, given_member
from tests.factories.systems import api_client, given_system
from tests.fakes.clock import NOON, FakeClock

PHONE = "13800001234"


@pytest.fixture
async def counter(sessions: SessionFactory, seal: Seal) -> Counter:
    return await given_counter(sessions, seal=seal, unattended_debit_fen_max=8_000)


@pytest.fixture
async def api(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with api_client(sessions, seal=seal, clock=clock) as client:
        client.headers["Authorization"] = f"Bearer {counter.key_token}"
        yield client


async def change(sessions: SessionFactory, statement: str, **values: Any) -> None:
    async with transaction(sessions) as tx:
        await tx.execute(text(statement), values)


async def found(api: httpx.AsyncClient, **query: str) -> tuple[int, str]:
    """Status, and who was found or why nobody."""
    answer = await api.get("/members", params=query)
    return answer.status_code, answer.json().get("id") or answer.json()["code"]


async def test_a_member_is_found_by_phone_openid_and_card(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, seal: Seal
) -> None:
    me = str(counter.member_id)
    async with transaction(sessions) as tx:
        fan = await given_fan(tx, counter.account, member_id=counter.member_id)
        other_id = await given_member(tx, counter.brand)
    card_no = (await api.get(f"/members/{me}")).json()["card_no"]
    await change(
        sessions,
        "UPDATE members SET phone = :phone WHERE id IN (:me, :other)",
        phone=PHONE,
        me=counter.member_id,
        other=other_id,
    )
    await change(
        sessions,
        "INSERT INTO offline_cards (id, brand_id, member_id, card_no, status, created_at)"
        " VALUES (:id, :brand_id, :other, 'AB12345678', 'unbound', :now)",
        id=new_id(),
        brand_id=counter.brand.id,
        other=other_id,
        now=NOON,
    )

    # Noted with two members and proved by neither.
    assert await found(api, phone=PHONE) == (409, "member.several_found")
    await change(
        sessions,
        "UPDATE members SET phone_verified_at = :now, name = '王小明' WHERE id = :me",
        me=counter.member_id,
        now=NOON,
    )
    assert await found(api, phone=f"+86 {PHONE[:3]} {PHONE[3:]}") == (200, me)
    assert await found(api, openid=fan.openid) == (200, me)
    assert await found(api, card=f"{card_no[:4]} {card_no[4:]}") == (200, me)
    assert await found(api, card="ab1234-5678") == (200, str(other_id))

    group = await given_system(sessions, seal=seal, brand_id=None)
    stranger = await given_counter(sessions, seal=seal)
    for key, status in ((group, 200), ({"Authorization": f"Bearer {stranger.key_token}"}, 404)):
        for query in ({"phone": PHONE}, {"openid": fan.openid}, {"card": card_no}):
            answer = await api.get("/members", params=query, headers=key)
            assert answer.status_code == status, query
            assert answer.json().get("code") == (None if status == 200 else "member.not_found")
    answer = await api.get("/members", params={"card": card_no})
    assert answer.json() == (await api.get(f"/members/{me}")).json()
    assert "phone" not in answer.json()
    await change(sessions, "UPDATE offline_cards SET status = 'lost'")
    assert await found(api, card="AB12345678") == (409, "card.reported_lost")


async def test_exactly_one_way_to_find_a_member(api: httpx.AsyncClient) -> None:
    for query, code in (
        ("", "request.invalid"),
        ("phone=13800001234&card=1", "request.invalid"),
        ("phone=13800001234&phone=13800001235", "request.invalid"),
        ("name=x", "field.not_allowed"),
        ("phone=13800001234&name=x", "field.not_allowed"),
        ("phone=", "phone.invalid"),
        ("phone=12", "phone.invalid"),
        ("card=%00%00", "request.invalid"),
        ("card=" + "1" * 300, "request.invalid"),
        ("openid=", "request.invalid"),
        ("openid=%00", "request.invalid"),
        ("openid=" + "o" * 200, "request.invalid"),
        ("code=123", "qr.unreadable"),
        ("code=134567890123456789", "code.is_wechat_pay"),
    ):
        answer = await api.get(f"/members?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, code), query
    assert await found(api, phone="13900000000") == (404, "member.not_found")
    assert await found(api, openid="o-nobody") == (404, "member.not_found")


async def test_a_live_code_names_its_member_and_still_pays(
    api: httpx.AsyncClient,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
    clock: FakeClock,
) -> None:
    async with transaction(sessions) as tx:
        issued = await issue_member_code(
            tx, member_id=counter.member_id, seal=seal, now=clock.now()
        )
    me = str(counter.member_id)
    stranger = await given_system(
        sessions, seal=seal, brand_id=(await given_counter(sessions, seal=seal)).brand.id
    )

    assert [await found(api, code=issued.code) for _ in range(3)] == [(200, me)] * 3
    answer = await api.get("/members", params={"code": issued.code}, headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "code.unknown")
    assert await count(sessions, "counter_visits") == 0
    attended = await given_system(
        sessions, seal=seal, brand_id=counter.brand.id, scopes={"debits:write"}
    )
    debit = {
        "request_id": str(new_id()),
        "amount_fen": 100,
        "store_id": str(counter.store.id),
        "member_code": issued.code,
    }
    paid = await api.post(f"/members/{me}/debits", json=debit, headers=attended)
    assert paid.status_code == 201
    assert await found(api, code=issued.code) == (409, "code.used")
    async with transaction(sessions) as tx:
        late = await issue_member_code(tx, member_id=counter.member_id, seal=seal, now=clock.now())
    clock.advance(seconds=61)
    assert await found(api, code=late.code) == (410, "code.expired")


async def test_guessed_codes_are_counted(api: httpx.AsyncClient, counter: Counter) -> None:
    # Digits that fit together, and were never shown to anybody.
    wrong = "90000000000000000" + "000"
    body = wrong[:18]
    code = body + f"{98 - int(body) * 100 % 97:02d}"
    assert [await found(api, code=code) for _ in range(5)] == [(404, "code.unknown")] * 5
    assert await found(api, code=code) == (429, "pad.scan_locked")
    assert (await api.get(f"/members/{counter.member_id}")).status_code == 200


async def test_a_statement_is_read_page_by_page(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, seal: Seal
) -> None:
    path = f"/members/{counter.member_id}"
    for amount in (100, 200, 300):
        debit = {
            "request_id": str(new_id()),
            "amount_fen": amount,
            "store_id": str(counter.store.id),
            "reason": "面",
        }
        assert (await api.post(f"{path}/debits", json=debit)).status_code == 201

    first = (await api.get(f"{path}/statement", params={"limit": 3})).json()
    second = (
        await api.get(f"{path}/statement", params={"limit": 3, "before": first["next_before"]})
    ).json()

    assert [line["amount"] for line in first["lines"]] == [-300, -200, -100]
    assert [line["balance_after"] for line in first["lines"]] == [9_400, 9_700, 9_900]
    assert (first["asset"], first["lines"][0]["reason"]) == ("cny_fen", "面")
    assert [line["kind"] for line in second["lines"]] == ["top_up"]
    assert second["next_before"] is None
    points = await api.get(f"{path}/statement", params={"asset": "points"})
    assert points.json() == {"asset": "points", "lines": [], "next_before": None}
    for wrong in ({"asset": "gold"}, {"limit": 0}, {"limit": 101}, {"before": 0}, {"before": "x"}):
        answer = await api.get(f"{path}/statement", params=wrong)
        assert answer.status_code == 422, wrong
    stranger = await given_counter(sessions, seal=seal)
    answer = await api.get(
        f"{path}/statement", headers={"Authorization": f"Bearer {stranger.key_token}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "member.not_found")
