"""The JSON API of money and points: each intention once, other brands' ids unknown."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id, new_request_id
from o2o.membership.actions.issue_member_code import issue_member_code
from o2o.membership.actions.merge_members import merge_members
from tests.factories.members import Counter, balance_of, count, given_counter, given_member
from tests.factories.systems import api_client, given_system
from tests.fakes.clock import FakeClock

PRINCIPAL = 10_000


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


@pytest.fixture
async def stranger(sessions: SessionFactory, counter: Counter, seal: Seal) -> dict[str, str]:
    """The key of another brand, with every scope."""
    other = await given_counter(sessions, seal=seal, unattended_debit_fen_max=8_000)
    assert other.brand.id != counter.brand.id
    return {"Authorization": f"Bearer {other.key_token}"}


def body(counter: Counter, **fields: Any) -> dict[str, Any]:
    return {"request_id": str(new_id()), "store_id": str(counter.store.id)} | fields


def told(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


async def test_a_debit_is_taken_back_once_and_in_parts(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, stranger: dict[str, str]
) -> None:
    debit = await api.post(
        f"/members/{counter.member_id}/debits", json=body(counter, amount_fen=3_000)
    )
    path = f"/debits/{debit.json()['transfer_id']}/reversal"
    part = {"request_id": str(new_id()), "amount_fen": 1_000, "reason": "退一道菜"}

    assert told(await api.post(path, json=part, headers=stranger)) == (
        404,
        "ledger.transfer_not_found",
    )
    answers = [await api.post(path, json=part) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json() | {"transfer_id": ""} == {
        "transfer_id": "",
        "amount_fen": 1_000,
        "balance_fen": PRINCIPAL - 2_000,
    }
    assert told(await api.post(path, json=part | {"amount_fen": 999})) == (
        409,
        "request.body_differs",
    )
    too_much = {"request_id": str(new_id()), "amount_fen": 2_001, "reason": "x"}
    assert told(await api.post(path, json=too_much)) == (409, "ledger.already_reversed")
    nothing = await api.post(path, json=too_much | {"amount_fen": 0})
    assert (told(nothing), nothing.json()["field"]) == (
        (422, "ledger.amount_out_of_range"),
        "amount_fen",
    )

    rest = await api.post(path, json={"request_id": str(new_id()), "reason": "x"})
    assert (rest.status_code, rest.json()["amount_fen"]) == (201, 2_000)
    again = await api.post(path, json={"request_id": str(new_id()), "reason": "x"})
    assert told(again) == (409, "ledger.already_reversed")
    assert await balance_of(sessions, counter.member_id) == PRINCIPAL
    assert await count(sessions, "audit_entries", "action = 'debit.reversed'") == 2


async def test_a_top_up_is_taken_back_with_its_bonus_unless_spent(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, stranger: dict[str, str]
) -> None:
    money = body(counter, principal_fen=5_000, bonus_fen=500, tender="cash")
    top_up = await api.post(f"/members/{counter.member_id}/top-ups", json=money)
    transfer_id = top_up.json()["transfer_id"]
    path = f"/top-ups/{transfer_id}/reversal"
    asked = {"request_id": str(new_id()), "reason": "充错卡"}

    assert told(await api.post(path, json=asked, headers=stranger)) == (
        404,
        "ledger.transfer_not_found",
    )
    # Each way back is for its own kind.
    assert told(await api.post(f"/debits/{transfer_id}/reversal", json=asked)) == (
        409,
        "ledger.not_reversible",
    )
    done = await api.post(path, json=asked)
    assert (done.status_code, done.json()["balance_fen"]) == (201, PRINCIPAL)
    assert done.json()["amount_fen"] == 5_500
    assert (await api.post(path, json=asked)).status_code == 200
    assert await balance_of(sessions, counter.member_id) == PRINCIPAL

    more = await api.post(
        f"/members/{counter.member_id}/top-ups", json=money | {"request_id": str(new_id())}
    )
    for _ in range(2):
        spent = body(counter, amount_fen=7_500)
        assert (await api.post(f"/members/{counter.member_id}/debits", json=spent)).is_success
    answer = await api.post(
        f"/top-ups/{more.json()['transfer_id']}/reversal",
        json=asked | {"request_id": str(new_id())},
    )
    assert told(answer) == (409, "ledger.already_spent")
    assert await balance_of(sessions, counter.member_id) == 500


async def test_points_come_and_go(
    api: httpx.AsyncClient,
    counter: Counter,
    sessions: SessionFactory,
    clock: FakeClock,
    stranger: dict[str, str],
) -> None:
    path = f"/members/{counter.member_id}/points"
    granted = body(counter, delta=120, reason="活动赠送")

    assert told(await api.post(path, json=granted, headers=stranger)) == (404, "member.not_found")
    first = await api.post(path, json=granted)
    clock.advance(days=90)
    again = await api.post(path, json=granted)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["points"] == 120
    spent = await api.post(path, json=body(counter, delta=-50, reason="兑换"))
    assert (spent.status_code, spent.json()["points"]) == (201, 70)

    assert told(await api.post(path, json=body(counter, delta=-71, reason="兑换"))) == (
        409,
        "ledger.insufficient_points",
    )
    other = granted | {"delta": -120}
    assert told(await api.post(path, json=other)) == (409, "request.body_differs")
    for wrong in (
        {"delta": 0},
        {"delta": 1.5},
        {"delta": "5"},
        {"reason": ""},
        {"reason": "\u200b"},
    ):
        answer = await api.post(path, json=granted | {"request_id": str(new_id())} | wrong)
        assert told(answer) == (422, "request.invalid"), wrong
    assert await count(sessions, "ledger_transfers", "asset = 'points'") == 2


async def test_points_without_a_store_and_of_who_became_another(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, clock: FakeClock
) -> None:
    path = f"/members/{counter.member_id}/points"
    granted = {"request_id": str(new_id()), "delta": 30, "reason": "活动赠送"}
    first = await api.post(path, json=granted)
    assert (first.status_code, first.json()["points"]) == (201, 30)
    # The member's own store behind it may be another by now.
    async with transaction(sessions) as tx:
        await tx.execute(
            text("UPDATE members SET home_store_id = :id"), {"id": counter.far_store.id}
        )
        survivor = await given_member(tx, counter.brand)
    again = await api.post(path, json=granted)
    assert (again.status_code, again.json()) == (200, first.json())

    async with transaction(sessions) as tx:
        await merge_members(
            tx,
            request_id=new_request_id(),
            from_member_id=counter.member_id,
            into_member_id=survivor,
            by=SYSTEM,
            now=clock.now(),
        )
    lost_answer = await api.post(path, json=granted)
    assert (lost_answer.status_code, lost_answer.json()) == (200, first.json())
    for delta in (5, -5):
        answer = await api.post(path, json=granted | {"request_id": str(new_id()), "delta": delta})
        assert told(answer) == (409, "member.merged")
        assert answer.json()["detail"]["survivor_member_id"] == str(survivor)
    assert await count(sessions, "ledger_transfers", "kind = 'points_earned'") == 1


async def test_a_hold_is_posted_in_part_and_ends_once(
    api: httpx.AsyncClient,
    counter: Counter,
    sessions: SessionFactory,
    stranger: dict[str, str],
    clock: FakeClock,
) -> None:
    asked = body(counter, amount_fen=6_000, expires_in_seconds=600)
    path = f"/members/{counter.member_id}/holds"
    answers = [await api.post(path, json=asked)]
    # Some seconds later the same is the same, though it would end some seconds later.
    clock.advance(seconds=5)
    answers.append(await api.post(path, json=asked))
    longer = await api.post(path, json=asked | {"expires_in_seconds": 601})
    assert told(longer) == (409, "request.body_differs")
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    hold = answers[0].json()
    assert (set(hold), hold["balance_fen"]) == ({"hold_id", "balance_fen", "expires_at"}, 4_000)
    # What is set aside cannot be spent otherwise.
    debit = body(counter, amount_fen=4_001)
    assert told(await api.post(f"/members/{counter.member_id}/debits", json=debit)) == (
        409,
        "ledger.insufficient_balance",
    )
    post = {"request_id": str(new_id()), "amount_fen": 5_000}
    end = f"/holds/{hold['hold_id']}"
    for way in ("post", "void"):
        answer = await api.post(
            f"{end}/{way}", json={"request_id": str(new_id())}, headers=stranger
        )
        assert told(answer) == (404, "ledger.hold_not_found")
    posted = [await api.post(f"{end}/post", json=post) for _ in range(2)]
    assert [answer.status_code for answer in posted] == [201, 200]
    assert posted[0].json() == posted[1].json()
    assert posted[0].json()["balance_fen"] == 5_000
    assert told(await api.post(f"{end}/void", json={"request_id": str(new_id())})) == (
        409,
        "ledger.hold_ended",
    )
    # The sale is a debit like any other.
    back = await api.post(
        f"/debits/{posted[0].json()['transfer_id']}/reversal",
        json={"request_id": str(new_id()), "reason": "x"},
    )
    assert (back.status_code, back.json()["balance_fen"]) == (201, PRINCIPAL)
    assert await balance_of(sessions, counter.member_id) == PRINCIPAL


async def test_a_hold_is_given_back_and_one_past_its_time_is_not_sold(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, clock: FakeClock
) -> None:
    path = f"/members/{counter.member_id}/holds"
    first = (await api.post(path, json=body(counter, amount_fen=1_000))).json()
    void = {"request_id": str(new_id())}
    answers = [await api.post(f"/holds/{first['hold_id']}/void", json=void) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["balance_fen"] == PRINCIPAL

    late = (
        await api.post(path, json=body(counter, amount_fen=1_000, expires_in_seconds=60))
    ).json()
    clock.advance(seconds=60)
    answer = await api.post(f"/holds/{late['hold_id']}/post", json={"request_id": str(new_id())})
    assert told(answer) == (409, "ledger.hold_ended")
    unknown = await api.post(f"/holds/{uuid4()}/post", json={"request_id": str(new_id())})
    assert told(unknown) == (404, "ledger.hold_not_found")
    assert await balance_of(sessions, counter.member_id) == PRINCIPAL - 1_000


async def test_a_hold_needs_the_member_as_a_debit_does(
    api: httpx.AsyncClient,
    counter: Counter,
    sessions: SessionFactory,
    seal: Seal,
    clock: FakeClock,
) -> None:
    path = f"/members/{counter.member_id}/holds"
    attended = await given_system(
        sessions, seal=seal, brand_id=counter.brand.id, scopes={"holds:write"}
    )
    asked = body(counter, amount_fen=500)

    assert told(await api.post(path, json=asked, headers=attended)) == (
        403,
        "debit.unattended_not_allowed",
    )
    over = body(counter, amount_fen=8_001)
    assert told(await api.post(path, json=over)) == (403, "debit.over_limit")
    for wrong in ({"expires_in_seconds": 0}, {"expires_in_seconds": 31 * 86_400}, {"visit": "x"}):
        assert (await api.post(path, json=asked | wrong)).status_code == 422
    async with transaction(sessions) as tx:
        issued = await issue_member_code(
            tx, member_id=counter.member_id, seal=seal, now=clock.now()
        )
    with_code = asked | {"member_code": issued.code}
    answers = [await api.post(path, json=with_code, headers=attended) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    another = body(counter, amount_fen=1, member_code=issued.code)
    assert told(await api.post(path, json=another, headers=attended)) == (409, "code.used")
    assert await balance_of(sessions, counter.member_id) == PRINCIPAL - 500


async def test_each_way_has_a_scope_of_its_own(
    api: httpx.AsyncClient, counter: Counter, sessions: SessionFactory, seal: Seal
) -> None:
    reading = await given_system(
        sessions, seal=seal, brand_id=counter.brand.id, scopes={"members:read"}
    )
    some = uuid4()
    for path in (
        f"/members/{counter.member_id}/points",
        f"/members/{counter.member_id}/holds",
        f"/debits/{some}/reversal",
        f"/top-ups/{some}/reversal",
        f"/holds/{some}/post",
        f"/holds/{some}/void",
    ):
        assert told(await api.post(path, json={}, headers=reading)) == (
            403,
            "api_key.scope_missing",
        )
    nil = {"request_id": "00000000-0000-0000-0000-000000000000", "reason": "x"}
    assert told(await api.post(f"/debits/{some}/reversal", json=nil)) == (422, "request.invalid")
