"""The JSON API from outside: the shapes that other systems rely on, and every refusal by name."""

import stat
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chaos.product import Product
from chaos.rows import read_rows
from o2o.kernel.ids import new_id
from tests.journeys.conftest import Customer, balance_of, debit_body, top_up, top_up_body
from tests.journeys.keys import issue_key

UUID_CHARS = 36


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """An error says what it is, in words too, and how to find it in the log."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) <= {"code", "message", "field", "detail", "trace_id"}
    assert body["message"]
    assert body["trace_id"]
    assert answer.headers["content-type"].startswith("application/json")
    return body


def other_brands_store(product: Product, customer: Customer) -> str:
    [row] = read_rows(
        product.data_dir,
        "SELECT o.id FROM stores o JOIN stores s ON s.brand_id <> o.brand_id"
        f" WHERE s.id = '{customer.store_id}' LIMIT 1",
    )
    return str(row["id"])


def test_demo_file_names_everything_an_outside_program_needs(product: Product) -> None:
    demo = product.demo
    mode = stat.S_IMODE((product.data_dir / "demo.json").stat().st_mode)

    assert mode == 0o600
    assert demo["product_url"] == product.url
    assert demo["sandbox_url"] == product.sandbox_url
    assert demo["api_key"]
    assert {(one["slug"], one["kind"]) for one in demo["accounts"]} == {
        ("weitang", "restaurant"),
        ("chengyan", "hall"),
    }
    assert all(set(one) == {"id", "name", "city"} for one in demo["stores"])
    assert all(set(one) == {"id", "card_no"} for one in demo["members"])
    assert all({"login", "password", "role"} <= set(one) for one in demo["staff"])


def test_member_as_other_systems_see_it(api: httpx.Client, customer: Customer) -> None:
    top_up(api, customer, 12_345)

    answer = api.get(f"/members/{customer.id}")

    assert answer.status_code == 200
    member = answer.json()
    assert member["id"] == customer.id
    assert member["card_no"].isdigit()
    assert set(member["tier"]) == {"code", "name"}
    assert (member["balance_fen"], member["principal_fen"], member["bonus_fen"]) == (
        12_345,
        12_345,
        0,
    )
    assert member["points"] == 0
    assert member["bound"] is True
    assert {"name", "phone_masked"} <= set(member)
    assert "phone" not in member


def test_top_up_and_debit_move_money_once(api: httpx.Client, customer: Customer) -> None:
    path = f"/members/{customer.id}"
    put = top_up_body(customer, 10_000, bonus_fen=500)
    take = debit_body(customer, 3_000)

    put_answers = [api.post(f"{path}/top-ups", json=put) for _ in range(2)]
    take_answers = [api.post(f"{path}/debits", json=take) for _ in range(3)]

    assert [answer.status_code for answer in put_answers] == [201, 200]
    assert [answer.status_code for answer in take_answers] == [201, 200, 200]
    assert put_answers[0].json() == put_answers[1].json()
    assert take_answers[0].json() == take_answers[1].json() == take_answers[2].json()
    assert (
        set(put_answers[0].json())
        == set(take_answers[0].json())
        == {
            "transfer_id",
            "balance_fen",
        }
    )
    assert put_answers[0].json()["balance_fen"] == 10_500
    assert take_answers[0].json()["balance_fen"] == 7_500
    assert len(take_answers[0].json()["transfer_id"]) == UUID_CHARS
    assert balance_of(api, customer) == 7_500


def test_same_request_with_another_body_is_refused(api: httpx.Client, customer: Customer) -> None:
    top_up(api, customer, 10_000)
    path = f"/members/{customer.id}/debits"
    body = debit_body(customer, 1_000)
    assert api.post(path, json=body).status_code == 201

    for other in (
        {**body, "amount_fen": 1_001},
        {**body, "reason": "dinner"},
    ):
        refused(api.post(path, json=other), 409, "request.body_differs")
    as_top_up = top_up_body(customer, 1_000, request_id=body["request_id"])
    refused(
        api.post(f"/members/{customer.id}/top-ups", json=as_top_up), 409, "request.body_differs"
    )
    assert balance_of(api, customer) == 9_000


def test_too_little_on_the_card(api: httpx.Client, customer: Customer) -> None:
    top_up(api, customer, 999)

    answer = api.post(f"/members/{customer.id}/debits", json=debit_body(customer, 1_000))

    body = refused(answer, 409, "ledger.insufficient_balance")
    assert body["detail"]["balance_fen"] == 999
    assert balance_of(api, customer) == 999


@pytest.mark.parametrize(
    "amount", [0, -1, -(2**63), 1.5, 0.1, "100", "１００", None, True, [], 2**63, 10**30, 1e300]
)
def test_amounts_that_are_none(api: httpx.Client, resting: Customer, amount: object) -> None:
    put = top_up_body(resting, 1) | {"principal_fen": amount}
    take = debit_body(resting, 1) | {"amount_fen": amount}

    for path, body in (("top-ups", put), ("debits", take)):
        answer = api.post(f"/members/{resting.id}/{path}", json=body)
        assert answer.status_code == 422, answer.text
        told = answer.json()
        assert told["code"] in {"request.invalid", "ledger.amount_out_of_range"}
        assert told["message"]
    assert balance_of(api, resting) == 500


def test_huge_amount_is_refused_before_it_counts(api: httpx.Client, resting: Customer) -> None:
    path = f"/members/{resting.id}/top-ups"
    for amount in (1_000_000_001, 2**62):
        answer = api.post(path, json=top_up_body(resting, amount))
        refused(answer, 422, "ledger.amount_out_of_range")
    # Not a slip of the finger, but more than a card of somebody without a name may hold.
    answer = api.post(path, json=top_up_body(resting, 100_001))
    refused(answer, 422, "ledger.balance_limit_exceeded")
    assert balance_of(api, resting) == 500


def test_places_and_people_that_are_not_there(
    product: Product, api: httpx.Client, resting: Customer
) -> None:
    path = f"/members/{resting.id}/debits"

    unknown = api.post(path, json=debit_body(resting, 100, store_id=str(uuid4())))
    refused(unknown, 404, "store.not_found")
    foreign = debit_body(resting, 100, store_id=other_brands_store(product, resting))
    assert api.post(path, json=foreign).status_code in {403, 404, 409, 422}
    for method, place in (("GET", ""), ("POST", "/debits"), ("POST", "/top-ups")):
        body = top_up_body(resting, 1) if place == "/top-ups" else debit_body(resting, 1)
        answer = api.request(method, f"/members/{uuid4()}{place}", json=body)
        refused(answer, 404, "member.not_found")
    assert balance_of(api, resting) == 500


@pytest.mark.parametrize("field", ["is_admin", "balance_fen", "member_id"])
def test_fields_that_nobody_may_send(api: httpx.Client, resting: Customer, field: str) -> None:
    answer = api.post(f"/members/{resting.id}/top-ups", json=top_up_body(resting, 100) | {field: 1})

    assert refused(answer, 422, "field.not_allowed")["field"] == field
    assert balance_of(api, resting) == 500


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"a":1,}'])
def test_bodies_that_are_none(api: httpx.Client, resting: Customer, body: bytes) -> None:
    answer = api.post(
        f"/members/{resting.id}/debits",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"request.json_broken", "request.invalid"}


@pytest.mark.parametrize("missing", ["request_id", "amount_fen", "store_id"])
def test_what_a_debit_must_name(api: httpx.Client, resting: Customer, missing: str) -> None:
    body = debit_body(resting, 100)
    del body[missing]
    refused(api.post(f"/members/{resting.id}/debits", json=body), 422, "request.invalid")


def test_keys_that_open_nothing(product: Product, resting: Customer) -> None:
    url = f"{product.url}/api/v1/members/{resting.id}"
    for header in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eA=="},
        {"Authorization": "Bearer o2o_guessed"},
    ):
        answer = httpx.get(url, headers=header, trust_env=False)
        refused(answer, 401, "api_key.invalid")


def test_key_of_another_brand_sees_nobody(
    product: Product, api: httpx.Client, resting: Customer
) -> None:
    key = issue_key(
        product,
        brand="chengyan",
        scopes={"members:read", "debits:write", "top_ups:write", "debits:unattended"},
    )
    headers = {"Authorization": f"Bearer {key}"}

    read = api.get(f"/members/{resting.id}", headers=headers)
    taken = api.post(
        f"/members/{resting.id}/debits", json=debit_body(resting, 100), headers=headers
    )

    refused(read, 404, "member.not_found")
    assert taken.status_code in {403, 404}
    assert balance_of(api, resting) == 500


def test_key_without_the_scope(product: Product, api: httpx.Client, resting: Customer) -> None:
    reading = {"Authorization": f"Bearer {issue_key(product, scopes={'members:read'})}"}
    attended = {"Authorization": f"Bearer {issue_key(product, scopes={'debits:write'})}"}
    path = f"/members/{resting.id}/debits"

    refused(
        api.post(path, json=debit_body(resting, 100), headers=reading),
        403,
        "api_key.scope_missing",
    )
    assert api.post(path, json=debit_body(resting, 100), headers=attended).status_code == 403
    assert balance_of(api, resting) == 500


def test_unattended_debits_have_their_limit(
    product: Product, api: httpx.Client, customer: Customer
) -> None:
    top_up(api, customer, 5_000)
    key = issue_key(product, scopes={"debits:write", "debits:unattended"}, debit_fen_max=1_000)
    headers = {"Authorization": f"Bearer {key}"}
    path = f"/members/{customer.id}/debits"

    over = api.post(path, json=debit_body(customer, 1_001), headers=headers)
    within = api.post(path, json=debit_body(customer, 1_000), headers=headers)

    assert over.status_code in {403, 422}
    assert within.status_code == 201
    assert balance_of(api, customer) == 4_000


def test_same_request_for_another_member_is_refused(
    product: Product, api: httpx.Client, customer: Customer
) -> None:
    top_up(api, customer, 1_000)
    body = debit_body(customer, 100, request_id=str(new_id()))
    assert api.post(f"/members/{customer.id}/debits", json=body).status_code == 201
    [other] = read_rows(
        product.data_dir,
        "SELECT m.id FROM members m JOIN stores s USING (brand_id)"
        f" JOIN ledger_accounts a ON a.owner_id = m.id AND a.kind = 'member_stored_value'"
        f" WHERE s.id = '{customer.store_id}' AND a.balance > 1000 AND m.id <> '{customer.id}'"
        " LIMIT 1",
    )

    refused(api.post(f"/members/{other['id']}/debits", json=body), 409, "request.body_differs")
    assert balance_of(api, customer) == 900


def test_description_of_the_api(product: Product) -> None:
    schema = httpx.get(f"{product.url}/api/v1/openapi.json", trust_env=False).json()

    assert schema["openapi"].startswith("3.")
    for place in ("", "/top-ups", "/debits"):
        assert f"/api/v1/members/{{member_id}}{place}" in schema["paths"]
