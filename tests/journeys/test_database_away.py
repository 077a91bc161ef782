"""The database is away: WeChat is answered in time all the same, and nothing is lost or mixed."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from chaos.people import Person, Phones, texts
from chaos.product import DATABASE, WEB, Product, wait_until
from chaos.rows import read_rows

ACCOUNT = "weitang"
PEOPLE = 4
# What a member writes, and a word that only the answer to it has. Five, because for a message of
# theirs a person may be sent five customer-service messages and no more.
WRITTEN = {"余额": "您的余额", "积分": "积分。", "会员卡": "卡号", "账单": "记录", "你好": "已收到"}
MESSAGES_EACH = len(WRITTEN)
FIRST_ID = 8_100_000_000_000_000
DRAIN_SECONDS = 90.0
Away = Callable[[Product], AbstractContextManager[None]]


def frozen(product: Product) -> AbstractContextManager[None]:
    """The server hangs: connections stay open and nothing comes back."""
    return product.frozen(DATABASE)


@contextmanager
def killed(product: Product) -> Iterator[None]:
    """The server dies; it comes back when the block ends, by itself or by a hand."""
    product.kill(DATABASE)
    yield
    product.start_database()


def write_all(phones: Phones, people: list[Person], *, first_id: int) -> list[dict[str, Any]]:
    """Everybody writes their messages, one after another; everybody at the same time."""

    def write(number: int) -> list[dict[str, Any]]:
        return [
            phones.say(
                people[number],
                words,
                msg_id=first_id + 1_000 * number + turn,
            )
            for turn, words in enumerate(WRITTEN)
        ]

    with ThreadPoolExecutor(len(people)) as pool:
        return [outcome for outcomes in pool.map(write, range(len(people))) for outcome in outcomes]


def inbox_of(product: Product, person: Person) -> list[str]:
    """Return what a person wrote, in the order in which it came."""
    rows = read_rows(
        product.data_dir,
        "SELECT sent->>'Content' AS content FROM inbound_messages"
        f" WHERE openid = '{person.openid}' AND kind = 'text' ORDER BY received_at, id",
    )
    return [row["content"] for row in rows]


def replies_to(phones: Phones, person: Person) -> list[str]:
    """Return the texts that reached a person after the greeting."""
    return texts(phones.read(person))[1:]


def check_all_answered_once(product: Product, phones: Phones, people: list[Person]) -> None:
    wait_until(
        lambda: (
            all(len(replies_to(phones, person)) >= MESSAGES_EACH for person in people)
            and read_rows(product.data_dir, "SELECT 1 FROM outbox_messages LIMIT 1") == []
        ),
        seconds=DRAIN_SECONDS,
        what="everybody was answered",
    )
    for person in people:
        assert inbox_of(product, person) == list(WRITTEN)
        replies = replies_to(phones, person)
        assert len(replies) == MESSAGES_EACH
        for reply, word in zip(replies, WRITTEN.values(), strict=True):
            assert word in reply, replies
    assert list(product.data_dir.rglob("*.rejected")) == []


@pytest.fixture
def people(phones: Phones) -> list[Person]:
    found = [phones.add(f"Bo {number}", account=ACCOUNT) for number in range(PEOPLE)]
    for person in found:
        phones.join(person)
    return found


@pytest.mark.parametrize("away", [frozen, killed])
def test_messages_are_answered_in_time_and_processed_once_in_order(
    product: Product, phones: Phones, people: list[Person], away: Away
) -> None:
    first_id = FIRST_ID + time.time_ns() % 10**9 * 10_000
    owed_before = len(phones.books()["callbacks"])
    with away(product):
        outcomes = write_all(phones, people, first_id=first_id)

        # WeChat gives up after five seconds and asks again: it never had to.
        assert [outcome["status"] for outcome in outcomes] == [200] * len(outcomes)
        tries = [one["tries"] for one in phones.books()["callbacks"][owed_before:]]
        assert tries == [1] * (PEOPLE * MESSAGES_EACH)
    product.wait_ready()
    check_all_answered_once(product, phones, people)


def test_worker_killed_with_messages_on_disk_loses_none(
    product: Product, phones: Phones, people: list[Person]
) -> None:
    first_id = FIRST_ID + time.time_ns() % 10**9 * 10_000
    with product.frozen(DATABASE):
        outcomes = write_all(phones, people, first_id=first_id)
        assert [outcome["status"] for outcome in outcomes] == [200] * len(outcomes)
        assert product.kill(WEB)
    product.wait_ready()
    check_all_answered_once(product, phones, people)


def test_stream_of_messages_over_a_short_absence_keeps_its_order(
    product: Product, phones: Phones, people: list[Person]
) -> None:
    """Before, during and after: whoever has something on disk queues behind it."""
    first_id = FIRST_ID + time.time_ns() % 10**9 * 10_000
    gone = threading.Thread(target=_freeze_for, args=(product, 1.5))
    gone.start()
    outcomes = write_all(phones, people, first_id=first_id)
    gone.join()
    assert [outcome["status"] for outcome in outcomes] == [200] * len(outcomes)
    check_all_answered_once(product, phones, people)


def _freeze_for(product: Product, seconds: float) -> None:
    with product.frozen(DATABASE):
        time.sleep(seconds)
