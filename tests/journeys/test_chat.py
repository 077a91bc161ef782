"""Chat from a person's side: greetings, figures for members, and every delivery answered once."""

import httpx
import pytest

from chaos.people import Person, Phones, texts
from chaos.product import Product, wait_until
from chaos.rows import read_rows
from tests.journeys.conftest import Customer, debit_body, top_up

TOLD_SECONDS = 20.0


def reply_of(outcome: dict[str, object]) -> str:
    """The text that came back in the callback's own answer."""
    assert outcome["status"] == 200, outcome
    reply = outcome["reply"]
    assert isinstance(reply, dict), outcome
    assert reply["type"] == "text"
    content: str = reply["content"]
    return content


def received_from(product: Product, person: Person, where: str = "true") -> int:
    [row] = read_rows(
        product.data_dir,
        f"SELECT count(*) FROM inbound_messages WHERE openid = '{person.openid}' AND {where}",
    )
    count: int = row["count"]
    return count


def test_follower_is_greeted_with_a_card_in_one_tap(
    product: Product, phones: Phones, fan: Person
) -> None:
    greeting = reply_of(phones.follow(fan))

    assert "欢迎关注" in greeting
    assert f'href="{product.url}/h5/{fan.account}/card"' in greeting
    assert texts(phones.read(fan)) == [greeting]


@pytest.mark.parametrize("words", ["余额", "积分"])
def test_figures_are_for_members(phones: Phones, fan: Person, words: str) -> None:
    phones.follow(fan)
    assert "还没有" in reply_of(phones.say(fan, words))


def test_member_reads_balance_and_points(
    api: httpx.Client, phones: Phones, customer: Customer
) -> None:
    top_up(api, customer, 12_050)
    api.post(f"/members/{customer.id}/debits", json=debit_body(customer, 1_025))

    assert "¥110.25" in reply_of(phones.say(customer.person, "余额"))
    # The relay gives the points for a charge a moment after it, so they are asked for until then.
    wait_until(
        lambda: "您现有 10 积分" in reply_of(phones.say(customer.person, "积分")),
        seconds=TOLD_SECONDS,
        what="the points of the charge are told",
    )


@pytest.mark.parametrize(
    "words", ["餘額", " 余额 ", "余额。", "余额！", "查余额", "【余额】", "余 额", "余额?"]
)
def test_balance_is_understood_however_it_is_written(
    phones: Phones, resting: Customer, words: str
) -> None:
    assert "您的余额为 ¥5.00" in reply_of(phones.say(resting.person, words))


@pytest.mark.parametrize("words", ["ＢＡＬＡＮＣＥ", "Balance", "ｂａｌａｎｃｅ　"])
def test_full_width_letters_are_letters(phones: Phones, resting: Customer, words: str) -> None:
    assert "5.00" in reply_of(phones.say(resting.person, words))


@pytest.mark.parametrize(
    "words", ["今天几点关门", "<xml>", "]]>", "{{7*7}}", "余额余额", "a" * 2_000, "😀", "0"]
)
def test_anything_else_is_told_what_can_be_said(
    phones: Phones, resting: Customer, words: str
) -> None:
    reply = reply_of(phones.say(resting.person, words))
    assert "余额" in reply
    assert "¥" not in reply


def test_message_delivered_again_is_answered_alike_and_kept_once(
    product: Product, phones: Phones, customer: Customer
) -> None:
    outcome = phones.say(customer.person, "余额", copies=6, concurrent=True)

    replies = [copy["reply"]["content"] for copy in outcome["copies"]]
    assert [copy["status"] for copy in outcome["copies"]] == [200] * 6
    assert len(set(replies)) == 1
    assert received_from(product, customer.person, "kind = 'text'") == 1
    again = phones.say(customer.person, "余额", copies=3)
    assert len({copy["reply"]["content"] for copy in again["copies"]}) == 1
    assert received_from(product, customer.person, "kind = 'text'") == 2


def test_same_message_id_with_other_words_keeps_the_first(
    product: Product, phones: Phones, customer: Customer
) -> None:
    first = phones.say(customer.person, "余额", msg_id=7_000_000_000_000_001)
    second = phones.say(customer.person, "积分", msg_id=7_000_000_000_000_001)

    assert "余额" in reply_of(first)
    assert (second["status"], second["reply"]) == (200, None)
    assert received_from(product, customer.person, "kind = 'text'") == 1


def test_follow_delivered_again_greets_and_counts_once(
    product: Product, phones: Phones, fan: Person
) -> None:
    at = 1_760_000_000
    phones.act(fan, "subscribe", create_time=at, copies=5, concurrent=True, force=True)

    assert received_from(product, fan, "event = 'subscribe'") == 1
    rows = read_rows(
        product.data_dir, f"SELECT followed_at FROM fans WHERE openid = '{fan.openid}'"
    )
    assert len(rows) == 1


def test_two_events_in_one_second_are_two(
    product: Product, phones: Phones, customer: Customer
) -> None:
    at = 1_760_000_001
    phones.act(customer.person, "CLICK", event_key="balance", create_time=at)
    phones.act(customer.person, "CLICK", event_key="points", create_time=at)
    phones.act(customer.person, "CLICK", event_key="points", create_time=at)

    assert received_from(product, customer.person, "event = 'CLICK'") == 2
