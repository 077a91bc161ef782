"""Everything is on disk: all of it dies at once in the middle of work, and nothing is lost."""

import asyncio
import os
import random
import signal
from collections import Counter
from typing import Any

import httpx
import pytest

from chaos.people import Phones
from chaos.product import (
    DATABASE,
    EVERYTHING,
    RELAY,
    SUPERVISOR,
    WEB,
    Product,
    wait_until,
)
from chaos.rows import read_rows
from chaos.wire import Dropped, Wire
from tests.journeys.conftest import Customer, balance_of, debit_body, top_up

TILLS = 8
SEED = 7
BUSY_SECONDS = 1.5
ANSWER_SECONDS = 60.0
# A message whose sender died is held for a minute before another may send it.
TOLD_SECONDS = 150.0


class Day:
    """What the tills sent and what they heard, by request."""

    def __init__(self) -> None:
        """Nothing was sold yet."""
        self.sent: dict[str, dict[str, Any]] = {}
        self.heard: dict[str, dict[str, Any]] = {}

    async def sell(self, wire: Wire, customer: Customer, rng: random.Random) -> None:
        """Debit without a pause until a reply fails to come."""
        while True:
            body = debit_body(customer, rng.randint(1, 9))
            self.sent[body["request_id"]] = body
            try:
                answer = await wire.post(f"/members/{customer.id}/debits", body)
            except Dropped:
                return
            if answer.status == 201:
                self.heard[body["request_id"]] = answer.body
            elif answer.status < 500:
                raise AssertionError((answer.status, answer.content))

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """What was sent and never answered."""
        return [body for name, body in self.sent.items() if name not in self.heard]


async def work_until_killed(product: Product, customer: Customer, day: Day) -> None:
    wires = [Wire(product.port, product.demo["api_key"]) for _ in range(TILLS)]
    tills = [
        asyncio.create_task(day.sell(wire, customer, random.Random(SEED + number)))
        for number, wire in enumerate(wires)
    ]
    await asyncio.sleep(BUSY_SECONDS)
    killed = await asyncio.to_thread(product.kill, *EVERYTHING)
    assert len(killed) > 3
    await asyncio.gather(*tills)
    for wire in wires:
        await wire.close()


async def ask_again(product: Product, customer: Customer, day: Day) -> None:
    """Send whatever is unknown once more, with the same request."""
    wire = Wire(product.port, product.demo["api_key"])
    for body in day.unknown:
        answer = await wire.post(f"/members/{customer.id}/debits", body, seconds=ANSWER_SECONDS)
        assert answer.status in {200, 201}, answer.content
        day.heard[body["request_id"]] = answer.body
    await wire.close()


def debits_of(product: Product, customer: Customer) -> dict[str, tuple[str, int]]:
    rows = read_rows(
        product.data_dir,
        "SELECT t.request_id, t.id, t.amount FROM ledger_transfers t JOIN ledger_accounts a"
        f" ON a.id = t.from_account_id WHERE a.owner_id = '{customer.id}' AND t.kind = 'debit'",
    )
    assert max(Counter(row["request_id"] for row in rows).values()) == 1
    return {row["request_id"]: (row["id"], row["amount"]) for row in rows}


def test_killed_in_the_middle_nothing_is_lost_and_nothing_doubled(
    product: Product, api: httpx.Client, phones: Phones, customer: Customer
) -> None:
    top_up(api, customer, 100_000)
    day = Day()
    asyncio.run(work_until_killed(product, customer, day))
    assert len(day.sent) > TILLS
    product.start()
    books = debits_of(product, customer)
    for name, told in day.heard.items():
        assert books[name] == (told["transfer_id"], day.sent[name]["amount_fen"])
    assert set(books) <= set(day.sent)
    assert product.verify()[0]

    asyncio.run(ask_again(product, customer, day))

    books = debits_of(product, customer)
    assert {name: told["transfer_id"] for name, told in day.heard.items()} == {
        name: transfer_id for name, (transfer_id, _) in books.items()
    }
    spent = sum(body["amount_fen"] for body in day.sent.values())
    assert balance_of(api, customer) == 100_000 - spent
    assert product.verify()[0]
    _check_every_debit_was_told_once(product, phones, customer, books)


@pytest.mark.parametrize("part", [WEB, RELAY, SUPERVISOR, DATABASE])
def test_any_part_that_dies_comes_back(
    *, product: Product, api: httpx.Client, phones: Phones, customer: Customer, part: str
) -> None:
    # Asked of the kill itself: connections of the database come and go between two looks.
    died = product.kill(part)
    assert died

    def is_back() -> bool:
        found = {process.pid for process in product.find(part)}
        return bool(found) and not found & died and product.is_ready()

    wait_until(is_back, seconds=60, what=f"{part} is back")
    top_up(api, customer, 100)
    wait_until(
        lambda: len(phones.read(customer.person, kind="template")) == 1,
        seconds=TOLD_SECONDS,
        what="the member was told",
    )


def test_note_of_a_dead_server_may_name_another_program(product: Product) -> None:
    """After a restart of a machine or container process numbers are given out anew."""
    product.kill(*EVERYTHING)
    note = product.data_dir / "postgres" / "postmaster.pid"
    lines = note.read_text().split("\n")
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]))

    product.start()

    assert product.verify()[0]


def _check_every_debit_was_told_once(
    product: Product, phones: Phones, customer: Customer, books: dict[str, tuple[str, int]]
) -> None:
    wait_until(
        lambda: read_rows(product.data_dir, "SELECT 1 FROM outbox_messages LIMIT 1") == [],
        seconds=TOLD_SECONDS,
        what="the outbox is empty",
    )
    accepted = Counter(
        message["client_msg_id"]
        for message in phones.books()["messages"]
        if message["openid"] == customer.person.openid
    )
    assert set(accepted.values()) == {1}
    told = {transfer_id.replace("-", "") for transfer_id, _ in books.values()}
    assert told < set(accepted)
    # One more for the top-up.
    assert len(accepted) == len(told) + 1


def test_hurried_interrupts_stop_it_once_and_for_all(product: Product) -> None:
    process = product._process
    assert process is not None
    for _ in range(20):
        process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert product.find(DATABASE) == []
