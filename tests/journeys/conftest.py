"""A running product with its demo data, one per worker of the tests, and what journeys do to it."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from chaos.people import Person, Phones
from chaos.product import Product
from chaos.rows import read_rows
from o2o.kernel.ids import new_id

ACCOUNT = "weitang"
NUMBERS = count(1)


@pytest.fixture(scope="session")
def started() -> Iterator[Product]:
    """Start the demo once on free ports; whatever a journey did to it, all of it ends here.

    Not under pytest's own folder: every run of pytest closes that to other users again, and the
    database server of a privileged user runs as another user.
    """
    with tempfile.TemporaryDirectory(prefix="o2o-journeys-") as folder:
        product = Product(Path(folder) / "data")
        try:
            product.start()
            product.wait_set_up()
            yield product
        finally:
            product.stop()


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    """Give the running product, brought back if the journey before left it in pieces."""
    started.thaw()
    if not started.is_running:
        started.start()
    started.wait_ready()
    yield started
    started.thaw()


@pytest.fixture
def phones(product: Product) -> Iterator[Phones]:
    """Give the people's phones; WeChat behaves again afterwards."""
    steering = Phones(product.sandbox_url, product.url)
    try:
        yield steering
        if product.is_running:
            steering.misbehave()
    finally:
        steering.close()


@pytest.fixture
def api(product: Product) -> Iterator[httpx.Client]:
    """Give a client of the JSON API with the demo's key."""
    with httpx.Client(
        base_url=f"{product.url}/api/v1",
        headers={"Authorization": f"Bearer {product.demo['api_key']}"},
        trust_env=False,
        timeout=60,
    ) as client:
        yield client


@dataclass(frozen=True)
class Customer:
    """Somebody with a card of a brand, and a store of that brand."""

    id: str
    store_id: str
    person: Person


@pytest.fixture
def fan(phones: Phones) -> Person:
    """Give somebody new who follows nothing yet."""
    return phones.add(f"Ada {next(NUMBERS)}", account=ACCOUNT)


@pytest.fixture
def customer(product: Product, phones: Phones, fan: Person) -> Customer:
    """Give somebody new who follows the account and took a card; the card is empty."""
    phones.join(fan)
    return customer_of(product, fan)


@pytest.fixture(scope="session")
def resting(started: Product) -> Customer:
    """Give the one whose card holds 500 fen and must hold them still after every refusal."""
    phones = Phones(started.sandbox_url, started.url)
    try:
        person = phones.add("Ada at rest", account=ACCOUNT)
        phones.join(person)
    finally:
        phones.close()
    customer = customer_of(started, person)
    answer = httpx.post(
        f"{started.url}/api/v1/members/{customer.id}/top-ups",
        json=top_up_body(customer, 500),
        headers={"Authorization": f"Bearer {started.demo['api_key']}"},
        trust_env=False,
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    return customer


def customer_of(product: Product, person: Person) -> Customer:
    """Find the member that a person became, and a store of the brand where a clerk works."""
    staffed = ", ".join(
        f"'{one['store_id']}'::uuid" for one in product.demo["staff"] if one["role"] == "clerk"
    )
    [row] = read_rows(
        product.data_dir,
        "SELECT f.member_id, s.id AS store_id FROM fans f JOIN official_accounts a"
        " ON a.id = f.account_id JOIN stores s USING (brand_id)"
        f" WHERE f.openid = '{person.openid}' AND s.id IN ({staffed}) ORDER BY s.code LIMIT 1",
    )
    return Customer(row["member_id"], row["store_id"], person)


def top_up_body(customer: Customer, principal_fen: int, **more: Any) -> dict[str, Any]:
    """Make a new intention to top the card up."""
    return {
        "request_id": str(new_id()),
        "principal_fen": principal_fen,
        "bonus_fen": 0,
        "store_id": customer.store_id,
        "tender": "cash",
        **more,
    }


def debit_body(customer: Customer, amount_fen: int, **more: Any) -> dict[str, Any]:
    """Make a new intention to take money from the card."""
    return {
        "request_id": str(new_id()),
        "amount_fen": amount_fen,
        "store_id": customer.store_id,
        "reason": "lunch",
        **more,
    }


def top_up(api: httpx.Client, customer: Customer, principal_fen: int) -> dict[str, Any]:
    """Put money on the card; it must work."""
    answer = api.post(f"/members/{customer.id}/top-ups", json=top_up_body(customer, principal_fen))
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def balance_of(api: httpx.Client, customer: Customer) -> int:
    """Return what the card holds, by the API."""
    answer = api.get(f"/members/{customer.id}")
    assert answer.status_code == 200, answer.text
    balance: int = answer.json()["balance_fen"]
    return balance
