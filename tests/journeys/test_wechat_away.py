"""WeChat fails, dawdles or says nothing: the house goes on, and members are told later, once."""

import time
from typing import Any

import httpx
import pytest

from chaos.people import Person, Phones
from chaos.product import Product, wait_until
from chaos.rows import read_rows
from tests.journeys.conftest import Customer, balance_of, debit_body, top_up
from tests.journeys.pages import charge_at_pad, open_pad, show_code

TOLD_SECONDS = 90.0
API = "/cgi-bin/*"


def wait_told(product: Product) -> None:
    """Wait until nothing is left to be sent."""

    def is_done() -> bool:
        return read_rows(product.data_dir, "SELECT 1 FROM outbox_messages LIMIT 1") == []

    wait_until(is_done, seconds=TOLD_SECONDS, what="the outbox is empty")


def accepted_for(phones: Phones, person: Person) -> list[str]:
    return sorted(
        message["client_msg_id"]
        for message in phones.books()["messages"]
        if message["openid"] == person.openid and message["kind"] == "template"
    )


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"status": 502}, id="bad gateway"),
        pytest.param({"drop": True}, id="no answer"),
        pytest.param({"errcode": -1}, id="system busy"),
        pytest.param({"drop": True, "applied": True}, id="taken, answer lost"),
        pytest.param({"delay_ms": 20_000}, id="slow beyond patience"),
    ],
)
def test_money_moves_while_wechat_is_away_and_members_are_told_once(
    *,
    product: Product,
    api: httpx.Client,
    phones: Phones,
    customer: Customer,
    rule: dict[str, Any],
) -> None:
    phones.misbehave({"match": API, **rule})

    done = [top_up(api, customer, 5_000)]
    for amount in (100, 200, 300):
        answer = api.post(f"/members/{customer.id}/debits", json=debit_body(customer, amount))
        assert answer.status_code == 201, answer.text
        done.append(answer.json())
    # Long enough for first attempts to go wrong.
    time.sleep(2)
    assert balance_of(api, customer) == 4_400
    if not rule.get("applied"):
        assert phones.read(customer.person, kind="template") == []
    phones.misbehave()
    wait_told(product)

    transfers = sorted(one["transfer_id"].replace("-", "") for one in done)
    assert accepted_for(phones, customer.person) == transfers
    assert len(phones.read(customer.person, kind="template")) == len(transfers)


def test_pad_and_pages_work_while_wechat_is_away(
    product: Product, api: httpx.Client, phones: Phones, customer: Customer
) -> None:
    top_up(api, customer, 10_000)
    with (
        phones.browser(customer.person, "card") as (diner, card),
        open_pad(product, customer) as pad,
    ):
        assert card.status_code == 200
        phones.misbehave({"match": API, "drop": True}, {"match": "/sns/*", "drop": True})

        for page in ("card", "wallet", "points", "me"):
            shown = diner.get(f"{product.url}/h5/{customer.person.account}/{page}")
            assert shown.status_code == 200, page
        receipt = charge_at_pad(pad, show_code(diner, product, customer.person), "12.50")

    assert receipt.status_code == 200
    assert "12.50" in receipt.text
    assert balance_of(api, customer) == 8_750
    assert "87.50" in phones.say(customer.person, "余额")["reply"]["content"]
    phones.misbehave()
    wait_told(product)
    assert len(phones.read(customer.person, kind="template")) == 2


def test_expired_token_costs_nobody_a_message(
    product: Product, api: httpx.Client, phones: Phones, customer: Customer
) -> None:
    for amount in (100, 200, 300):
        phones.http.post("/_sandbox/faults/expire-tokens", json={}).raise_for_status()
        top_up(api, customer, amount)
    wait_told(product)

    assert len(phones.read(customer.person, kind="template")) == 3
    assert len(accepted_for(phones, customer.person)) == 3
