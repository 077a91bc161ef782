"""Many debits of one card at once, and debits sent again and again: nothing is spent twice."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from chaos.product import Product
from chaos.rows import read_rows
from chaos.wire import Answer, Wire
from tests.journeys.conftest import Customer, balance_of, debit_body, top_up, top_up_body

ROUNDS = 20
AT_ONCE = 200
INTENTIONS = 800
SENT_MOST = 5
DROPPED_SHARE = 0.4
SEED = 20_260_401
# Generous: two cores may be shared by a whole run of tests.
ANSWER_SECONDS = 60.0


@pytest.fixture
async def wire(product: Product) -> AsyncIterator[Wire]:
    """Give a till's line to the API, lighter than a browser's."""
    line = Wire(product.port, product.demo["api_key"])
    yield line
    await line.close()


def transfers_of(product: Product, customer: Customer, kind: str) -> list[dict[str, Any]]:
    return read_rows(
        product.data_dir,
        "SELECT t.request_id, t.id, t.amount FROM ledger_transfers t JOIN ledger_accounts a"
        f" ON a.id = t.from_account_id WHERE a.owner_id = '{customer.id}' AND t.kind = '{kind}'",
    )


async def test_two_hundred_at_once_spend_a_card_exactly_once(
    product: Product, api: httpx.Client, wire: Wire, customer: Customer
) -> None:
    path = f"/members/{customer.id}"
    for number in range(1, ROUNDS + 1):
        put = await wire.post(f"{path}/top-ups", top_up_body(customer, 10_000))
        assert (put.status, put.body["balance_fen"]) == (201, 10_000)

        answers = await asyncio.gather(
            *(
                wire.post(f"{path}/debits", debit_body(customer, 1_000), seconds=ANSWER_SECONDS)
                for _ in range(AT_ONCE)
            )
        )

        assert Counter((answer.status, answer.code) for answer in answers) == {
            (201, None): 10,
            (409, "ledger.insufficient_balance"): AT_ONCE - 10,
        }, f"round {number}"
        after = [answer.body["balance_fen"] for answer in answers if answer.status == 201]
        assert sorted(after) == list(range(0, 10_000, 1_000))
    assert balance_of(api, customer) == 0
    assert len(transfers_of(product, customer, "debit")) == ROUNDS * 10
    assert product.verify()[0]


async def test_debits_sent_again_with_dropped_replies_take_effect_once(
    product: Product, api: httpx.Client, wire: Wire, customer: Customer
) -> None:
    rng = random.Random(SEED)
    top_up(api, customer, 100_000)
    path = f"/members/{customer.id}/debits"
    bodies = [debit_body(customer, rng.randint(1, 100)) for _ in range(INTENTIONS)]
    sends = [body for body in bodies for _ in range(rng.randint(1, SENT_MOST))]
    rng.shuffle(sends)
    heard: dict[str, list[Answer]] = defaultdict(list)
    gate = asyncio.Semaphore(AT_ONCE // 4)

    async def send(body: dict[str, Any], *, drop_after: float | None) -> None:
        async with gate:
            if drop_after is not None:
                await wire.post_and_hang_up(path, body, after=drop_after)
            else:
                answer = await wire.post(path, body, seconds=ANSWER_SECONDS)
                heard[body["request_id"]].append(answer)

    drops = [rng.random() / 50 if rng.random() < DROPPED_SHARE else None for _ in sends]
    await asyncio.gather(
        *(send(body, drop_after=drop) for body, drop in zip(sends, drops, strict=True))
    )
    # Whoever does not know asks again, with the same request.
    await asyncio.gather(*(send(body, drop_after=None) for body in bodies))

    rows = transfers_of(product, customer, "debit")
    assert Counter(row["request_id"] for row in rows) == Counter(b["request_id"] for b in bodies)
    for name, answers in heard.items():
        assert {answer.status for answer in answers} <= {200, 201}, name
        assert sum(answer.status == 201 for answer in answers) <= 1
        assert len({answer.content for answer in answers}) == 1
    assert {row["request_id"]: row["amount"] for row in rows} == {
        body["request_id"]: body["amount_fen"] for body in bodies
    }
    assert {row["request_id"]: row["id"] for row in rows} == {
        name: answers[0].body["transfer_id"] for name, answers in heard.items()
    }
    spent = sum(body["amount_fen"] for body in bodies)
    assert balance_of(api, customer) == 100_000 - spent
    assert product.verify()[0]
