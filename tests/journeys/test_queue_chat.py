"""The queues by chat through real callbacks: the demo's restaurants and halls both answer."""

import re
from typing import Any

import pytest

from chaos.people import Person, Phones
from chaos.product import Product
from chaos.rows import read_rows
from tests.journeys.test_chat import reply_of

# Whatever the hour at which the tests run.
OPENING = r"(?:今天|明天|周[一二三四五六日])[0-9]{2}:[0-9]{2}"
ANSWERS = (
    r"PLACE目前排队等候人数[1-9][0-9]*人，预计等候时间[0-9]*[05]分钟(?:\n[A-D] .+：.+)+",
    r"PLACE目前无人排队，到店即可办理",
    rf"PLACE现在休息，{OPENING}开始取号",
)
CALLED = re.compile(r"[^业]+业务(?:目前呼叫号码为[0-9]{3}号|暂未开始叫号)。")


def store_of(product: Product, account: str) -> Any:
    """A store of the account that takes numbers from anywhere, and its lines."""
    rows = read_rows(
        product.data_dir,
        "SELECT s.id, s.name, s.latitude, s.longitude,"
        " string_agg(q.code || ' ' || q.name, '、' ORDER BY q.rank, q.code) AS lines"
        " FROM stores s JOIN official_accounts a ON a.id = s.account_id"
        " JOIN queues q ON q.store_id = s.id AND q.retired_at IS NULL"
        " LEFT JOIN queue_settings c ON c.store_id = s.id"
        f" WHERE a.slug = '{account}' AND c.distance_m_max IS NULL"
        " GROUP BY s.id ORDER BY s.name",
    )
    return rows[0]


@pytest.mark.parametrize("account, place", [("weitang", "门店"), ("chengyan", "营业厅")])
def test_wait_and_calls_are_told(
    product: Product, phones: Phones, account: str, place: str
) -> None:
    person = phones.add("Ada in line", account=account)
    phones.follow(person)
    store = store_of(product, account)
    guessed, _, named = reply_of(phones.say(person, "1")).partition("\n以上是")
    assert any(re.fullmatch(answer.replace("PLACE", place), guessed) for answer in ANSWERS), guessed
    assert named.endswith(f"。要查其他{place}请回复 换店")
    phones.say(person, "换店")
    asked = reply_of(phones.say(person, store["name"]))
    assert any(re.fullmatch(answer.replace("PLACE", place), asked) for answer in ANSWERS), asked

    for words in ("11a", "１１Ａ"):
        assert CALLED.fullmatch(reply_of(phones.say(person, words)))
    spoken = phones.say(person, "", type="voice", recognition="十一A。")
    assert CALLED.fullmatch(reply_of(spoken))
    assert reply_of(phones.say(person, "11z")) == (
        f"没有“Z”业务。可查询：{store['lines']}，例如回复11b"
    )


def test_place_sent_from_a_store_is_answered_for_that_store(
    product: Product, phones: Phones
) -> None:
    person = phones.add("Ada at the door", account="weitang")
    phones.follow(person)
    store = store_of(product, "weitang")
    told = send_place(phones, person, store["latitude"], store["longitude"])
    invited = f"您在{store['name']}。开通会员卡即可领取微信会员专属排队号：\n"
    assert told.startswith(invited) or re.fullmatch(rf"门店现在休息，{OPENING}开始取号", told), told
    far = send_place(phones, person, 43.8, 87.6)
    assert far.startswith("您附近没有门店。离您最近的是：\n")
    assert "公里" in far


def send_place(phones: Phones, person: Person, latitude: float, longitude: float) -> str:
    """Send a place and return what is answered."""
    return reply_of(phones.say(person, "", type="location", lat=latitude, lng=longitude))
