"""A party with a phone in a real Chromium, and clerks who call: nothing missed, nothing twice.

Taken by the code at the door, the place moves while a clerk calls on another screen, the push
comes, the call is missed, back into the line, seated. Then a bounded round of calls.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from chaos.calls import CallRound, Plan
from chaos.calls_hall import Waiting, fill_hall
from chaos.people import Phones
from chaos.product import Product, wait_until
from chaos.rows import read_rows
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_id
from o2o.queueing.rules.door_codes import make_door_code
from tests.journeys.conftest import ACCOUNT
from tests.journeys.test_journey_in_browser import WAIT_MS, browser

__all__ = ["browser"]

TOLD_SECONDS = 20.0


class Clerk:
    """A clerk at another screen, by the API."""

    def __init__(self, product: Product) -> None:
        self._http = httpx.Client(
            base_url=f"{product.url}/api/v1",
            headers={"Authorization": f"Bearer {product.demo['api_key']}"},
            trust_env=False,
            timeout=30,
        )

    def call(self, queue_id: object, desk: str) -> dict[str, Any]:
        return self._post(f"/queues/{queue_id}/calls", desk=desk)

    def move(self, verb: str, ticket_id: str) -> dict[str, Any]:
        return self._post(f"/tickets/{ticket_id}/{verb}")

    def close(self) -> None:
        self._http.close()

    def _post(self, path: str, **body: str) -> dict[str, Any]:
        answer = self._http.post(path, json={"request_id": str(new_id()), **body})
        assert answer.status_code in {200, 201}, answer.text
        done: dict[str, Any] = answer.json()
        return done


@pytest.fixture
def clerk(product: Product) -> Iterator[Clerk]:
    """A clerk who goes home in the end."""
    clerk = Clerk(product)
    yield clerk
    clerk.close()


def door_of(product: Product, queue_id: object) -> str:
    """The path that the poster at the door of a queue's store leads to."""
    [row] = read_rows(
        product.data_dir, "SELECT store_id FROM queues WHERE id::text = :'id'", id=queue_id
    )
    seal = Seal((product.data_dir / "secret_key").read_text())
    edition = read_rows(
        product.data_dir,
        "SELECT door_edition FROM queue_settings WHERE store_id::text = :'id'",
        id=row["store_id"],
    )
    code = make_door_code(
        lambda text, purpose: seal.hash_of(text, use=purpose),
        UUID(row["store_id"]),
        edition=edition[0]["door_edition"] if edition else 1,
    )
    return f"/h5/{ACCOUNT}/queue?store={row['store_id']}&door={code}"


def open_as(browser: Browser, product: Product, *, person_id: str, path: str) -> Page:
    context = browser.new_context(viewport={"width": 375, "height": 812}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    url = quote(f"{product.url}{path}", safe="")
    page.goto(f"{product.sandbox_url}/_sandbox/people/{person_id}/open?url={url}")
    return page


def test_a_party_takes_by_the_door_is_told_misses_comes_back_and_is_seated(
    product: Product, phones: Phones, browser: Browser, clerk: Clerk
) -> None:
    # The browser's own loop runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        filling = fill_hall(product, 1, Waiting(ACCOUNT, [], 5))
        [queue_id] = thread.submit(asyncio.run, filling).result().queue_ids
    person = phones.add("程一诺", account=ACCOUNT)
    phones.follow(person)
    page = open_as(browser, product, person_id=person.id, path=door_of(product, queue_id))
    expect(page.get_by_text("已确认您在店门口")).to_be_visible()
    page.locator(f"label:has(input[value='{queue_id}'])").click()
    page.get_by_role("button", name="取号").click()
    page.wait_for_url("**/tickets/*")
    ticket_id = page.url.rsplit("/", 1)[1]
    ahead = page.locator("[data-part=ahead]")
    expect(page.locator("#ticket-number")).to_contain_text("006")
    expect(ahead).to_have_text("前面还有 5 位")
    expect(page.locator("[data-part=state]")).to_have_text("页面自动更新")

    for left in ("前面还有 4 位", "前面还有 3 位"):
        clerk.call(queue_id, desk="2")
        expect(ahead).to_have_text(left)

    def told(title: str) -> list[dict[str, Any]]:
        return [m for m in phones.read(person, kind="template") if m["title"] == title]

    wait_until(lambda: told("排队进度通知"), seconds=TOLD_SECONDS, what="almost there is told")
    for _ in range(3):
        clerk.call(queue_id, desk="2")
    assert clerk.call(queue_id, desk="3")["ticket_id"] == ticket_id
    expect(page.get_by_text("请到 3 号窗口办理")).to_be_visible()
    wait_until(lambda: told("排队叫号提醒"), seconds=TOLD_SECONDS, what="the call is told")

    clerk.move("skip", ticket_id)
    page.get_by_role("button", name="回到队列").click()
    expect(ahead).to_have_text("下一位就是您")
    assert clerk.call(queue_id, desk="1")["ticket_id"] == ticket_id
    expect(page.get_by_text("请到 1 号窗口办理")).to_be_visible()
    wait_until(
        lambda: len(told("排队叫号提醒")) == 2, seconds=TOLD_SECONDS, what="the second call is told"
    )
    clerk.move("seat", ticket_id)
    expect(page.get_by_text("已办理")).to_be_visible()
    assert len(told("排队进度通知")) == 1
    assert page.locator("[data-part=state]").count() == 0


@pytest.mark.usefixtures("phones")
def test_calls_reach_every_phone_once(
    product: Product,
) -> None:
    plan = Plan(queues=6, parties=60, calls_per_second=6, seconds=6, kill_every=0, seed=3)
    verdict = CallRound(product, plan).run()

    assert verdict.violations == []
    assert verdict.calls == 36
    assert verdict.told + verdict.seated_first == verdict.calls
