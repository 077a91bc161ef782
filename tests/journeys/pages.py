"""Pages as a browser uses them: forms are read from the page and sent with what stands in them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from chaos.people import Person
from chaos.product import Product
from tests.journeys.conftest import Customer

# Attributes may hold texts with a “>”, so a form is read from its action to its end.
_FORM = re.compile(r'<form\b[^<]*?action="([^"]*)"(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def fields_of(page: httpx.Response, action: str) -> dict[str, str]:
    """Return the hidden fields of the page's form with that action."""
    for found, inside in _FORM.findall(page.text):
        if found == action:
            return dict(_HIDDEN.findall(inside))
    raise AssertionError(f"no form {action} at {page.url} ({page.status_code})\n{page.text[:2000]}")


def send_form(
    client: httpx.Client, page: httpx.Response, action: str, **typed: Any
) -> httpx.Response:
    """Send the page's form with that action and follow where it leads."""
    return client.post(action, data={**fields_of(page, action), **typed})


@contextmanager
def open_pad(product: Product, customer: Customer) -> Iterator[httpx.Client]:
    """Make a browser a pad of the customer's store and sign a clerk or manager in at it."""
    staff = [
        one
        for one in product.demo["staff"]
        if one["role"] in {"clerk", "manager"} and one.get("store_id") == customer.store_id
    ]
    with httpx.Client(
        base_url=product.url, trust_env=False, follow_redirects=True, timeout=60
    ) as client:
        door = send_form(
            client, client.get("/pad"), "/pad/demo-enrolments", store_id=customer.store_id
        )
        inside = send_form(
            client, door, "/pad/sign-in", login=staff[0]["login"], pin=staff[0]["pin"]
        )
        assert inside.status_code == 200, inside.text
        yield client


def show_code(client: httpx.Client, product: Product, person: Person) -> str:
    """Have the diner's page show a member code; return its digits."""
    address = f"{product.url}/h5/{person.account}/code"
    page = client.get(address)
    shown = client.post(
        address,
        data=fields_of(page, f"/h5/{person.account}/code"),
        headers={"Accept": "application/json"},
    )
    assert shown.status_code == 200, shown.text
    digits: str = shown.json()["digits"]
    return digits


def charge_at_pad(pad: httpx.Client, code: str, amount_yuan: str) -> httpx.Response:
    """Scan a member code and take an amount; return the page that follows."""
    visit = send_form(pad, pad.get("/pad/scan"), "/pad/visits", scanned=code)
    assert visit.status_code == 200, visit.text
    actions = [a for a, _ in _FORM.findall(visit.text) if a.endswith("/charges")]
    assert len(actions) == 1, visit.text
    [action] = actions
    return send_form(pad, visit, action, amount_yuan=amount_yuan)
