"""Notice templates: adding, sending, every refusal, and the event that tells the result."""

from typing import Any

import pytest

from tests.contract.sandbox.conftest import Shop
from tests.contract.sandbox.product import Product

SEND = "/cgi-bin/message/template/send"
SPENT = ["门店", "消费金额", "账户余额", "消费时间"]
VALUES = {
    "thing1": "人民广场店",
    "amount2": "58.00元",
    "amount3": "¥142.00",
    "time4": "2026年10月1日 18:30",
}


def add(shop: Shop, names: list[str] | None = None, short_id: str = "43216") -> str:
    answer = shop.call(
        "/cgi-bin/template/api_add_template",
        {"template_id_short": short_id, "keyword_name_list": names or SPENT},
    )
    assert answer["errcode"] == 0, answer
    template_id: str = answer["template_id"]
    return template_id


def message(shop: Shop, known: str, /, **changes: Any) -> dict[str, Any]:
    values = VALUES | changes.pop("values", {})
    return {
        "touser": shop.openid,
        "template_id": known,
        "url": "http://127.0.0.1/h5/card",
        "data": {key: {"value": value} for key, value in values.items() if value is not None},
    } | changes


def templates_in(shop: Shop) -> list[dict[str, Any]]:
    return [m for m in shop.chat() if m["kind"] == "template"]


def test_a_sent_template_is_seen_and_its_result_is_told(shop: Shop, product: Product) -> None:
    shop.follow()
    template_id = add(shop)
    sent = shop.call(SEND, message(shop, template_id))

    assert (sent["errcode"], sent["errmsg"]) == (0, "ok")
    (shown,) = templates_in(shop)
    assert (shown["title"], shown["url"]) == ("门店消费即时通知", "http://127.0.0.1/h5/card")
    assert [(field["label"], field["value"]) for field in shown["fields"]] == list(
        zip(SPENT, VALUES.values(), strict=True)
    )
    (finished,) = product.wait_for(1, event="TEMPLATESENDJOBFINISH")
    assert finished.message["MsgID"] == str(sent["msgid"])
    assert finished.message["Status"] == "success"
    (booked,) = shop.books("messages")
    assert (booked["kind"], booked["msgid"]) == ("template", sent["msgid"])
    assert booked["data"]["amount2"] == {"value": "58.00元"}


def test_the_same_client_msg_id_is_delivered_once_in_ten_minutes(
    shop: Shop, product: Product
) -> None:
    shop.follow()
    template_id = add(shop)
    body = message(shop, template_id, client_msg_id="charge-1")
    first, again = shop.call(SEND, body), shop.call(SEND, body)
    shop.http.post("/_sandbox/clock", json={"advance_seconds": 601})
    later = shop.call(SEND, body)

    assert first["msgid"] == again["msgid"] != later["msgid"]
    assert len(templates_in(shop)) == len(shop.books("messages")) == 2
    assert len(product.wait_for(2, event="TEMPLATESENDJOBFINISH")) == 2


@pytest.mark.parametrize(
    "changes,code,wording",
    [
        ({"touser": "oStranger"}, 40003, "invalid openid"),
        ({"touser": None}, 40003, "invalid openid"),
        ({"template_id": "x" * 43}, 40037, "invalid template_id"),
        ({"template_id": "x" * 65}, 40036, "invalid template_id size"),
        ({"url": "http://a/" + "x" * 2048}, 40039, "invalid url size"),
        ({"url": 7}, 47001, "data format error"),
        ({"data": None}, 47001, "data format error"),
        ({"data": {"thing1": {"value": 7}}}, 47001, "data format error"),
        ({"client_msg_id": "x" * 33}, 40097, "invalid args"),
        ({"values": {"thing1": ""}}, 47003, "argument invalid! data.thing1.value is emtpy"),
        ({"values": {"thing1": " "}}, 47003, "argument invalid! data.thing1.value is emtpy"),
        ({"values": {"time4": None}}, 47003, "argument invalid! data.time4.value is emtpy"),
        ({"values": {"thing1": "字" * 21}}, 47003, "argument invalid! data.thing1.value invalid"),
        (
            {"values": {"amount2": "五十八元"}},
            47003,
            "argument invalid! data.amount2.value invalid",
        ),
        ({"values": {"time4": "明天"}}, 47003, "argument invalid! data.time4.value invalid"),
    ],
)
def test_refusals_show_nothing(
    shop: Shop, changes: dict[str, Any], code: int, wording: str
) -> None:
    shop.follow()
    refused = shop.call(SEND, message(shop, add(shop), **changes))

    assert refused["errcode"] == code
    assert refused["errmsg"].startswith(f"{wording} rid: ")
    assert templates_in(shop) == []
    assert shop.books("messages") == []


def test_only_followers_of_this_very_account(shop: Shop) -> None:
    template_id = add(shop)
    never = shop.call(SEND, message(shop, template_id))
    shop.follow()
    shop.unfollow()
    gone = shop.call(SEND, message(shop, template_id))
    other = shop.http.post("/_sandbox/accounts", json={"slug": "elsewhere", "name": "别家"}).json()
    people = shop.http.get(f"/_sandbox/people/{shop.person}").json()
    foreign = shop.call(SEND, message(shop, template_id, touser=people["openids"][other["slug"]]))

    assert [never["errcode"], gone["errcode"], foreign["errcode"]] == [43004, 43004, 40003]
    assert templates_in(shop) == []


def test_a_person_who_refuses_sees_nothing(shop: Shop, product: Product) -> None:
    shop.follow()
    shop.http.patch(f"/_sandbox/people/{shop.person}", json={"refusing": [shop.slug]})
    sent = shop.call(SEND, message(shop, add(shop)))

    assert sent["errcode"] == 0
    (finished,) = product.wait_for(1, event="TEMPLATESENDJOBFINISH")
    assert finished.message["Status"] == "failed:user block"
    assert templates_in(shop) == []


def test_the_template_shelf(shop: Shop) -> None:
    paths = "/cgi-bin/template/"
    assert shop.call(f"{paths}get_all_private_template") == {"template_list": []}
    template_id = add(shop, ["消费时间", "门店"])
    (listed,) = shop.call(f"{paths}get_all_private_template")["template_list"]
    assert listed["template_id"] == template_id
    assert listed["title"] == "门店消费即时通知"
    assert listed["content"] == "消费时间:{{time4.DATA}}\n门店:{{thing1.DATA}}\n"
    for body, code in (
        ({"template_id_short": "1", "keyword_name_list": SPENT}, 40246),
        ({"template_id_short": 43216, "keyword_name_list": SPENT}, 40246),
        ({"template_id_short": "43216"}, 40247),
        ({"template_id_short": "43216", "keyword_name_list": ["门店", "门店"]}, 40247),
        ({"template_id_short": "43216", "keyword_name_list": ["没有"]}, 40247),
        ({"template_id_short": "43216", "keyword_name_list": [["门店"]]}, 40247),
    ):
        assert shop.call(f"{paths}api_add_template", body)["errcode"] == code
    for _ in range(24):
        add(shop, short_id="43217", names=["门店", "充值金额"])
    full = {"template_id_short": "43216", "keyword_name_list": SPENT}
    assert shop.call(f"{paths}api_add_template", full)["errcode"] == 45026
    assert shop.call(f"{paths}del_private_template", {"template_id": "x"})["errcode"] == 40037
    gone = shop.call(f"{paths}del_private_template", {"template_id": template_id})
    assert gone["errcode"] == 0
    assert shop.call(SEND, message(shop, template_id))["errcode"] == 40037
