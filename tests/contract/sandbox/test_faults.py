"""Misbehaviour on command, of the API and of callbacks, and that it stops when told."""

import threading
import time
from typing import Any

import httpx
import pytest

from tests.contract.sandbox.conftest import Shop
from tests.contract.sandbox.product import Product
from tests.contract.sandbox.test_templates import SEND, add, message


def rules(shop: Shop, *given: dict[str, Any]) -> dict[str, Any]:
    answer = shop.http.put("/_sandbox/faults", json={"rules": list(given)})
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def sent_count(shop: Shop) -> int:
    return len(shop.books("messages"))


def test_rules_are_listed_counted_and_cleared(shop: Shop) -> None:
    rule = {"match": "/cgi-bin/user/get", "errcode": -1, "times": 2}
    assert rules(shop, rule) == {"rules": [rule | {"times_left": 2}]}
    codes = [shop.call("/cgi-bin/user/get").get("errcode", 0) for _ in range(3)]
    assert codes == [-1, -1, 0]
    assert shop.http.get("/_sandbox/faults").json()["rules"][0]["times_left"] == 0
    assert shop.http.delete("/_sandbox/faults").json() == {"rules": []}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"match": ""},
        {"match": "*", "status": 99},
        {"match": "*", "delay_ms": -1},
        {"match": "*", "probability": 2},
        {"match": "*", "times": 0},
        {"match": "*", "unknown": 1},
        {"match": "*", "drop": "yes"},
    ],
)
def test_a_rule_that_cannot_be_changes_nothing(shop: Shop, rule: dict[str, Any]) -> None:
    kept = rules(shop, {"match": "/sns/*", "errcode": -1})
    refused = shop.http.put("/_sandbox/faults", json={"rules": [rule]})
    assert refused.status_code == 400
    assert shop.http.get("/_sandbox/faults").json() == kept


def test_an_api_answers_an_error_or_a_status(shop: Shop) -> None:
    shop.follow()
    body = message(shop, add(shop))
    rules(shop, {"match": SEND, "errcode": 45009, "account": shop.slug})
    refused = shop.call(SEND, body)
    assert refused["errcode"] == 45009
    assert refused["errmsg"].startswith("reach max api daily quota limit rid: ")
    token = shop.token()
    rules(shop, {"match": "/cgi-bin/*", "status": 502})
    answer = shop.http.post(SEND, params={"access_token": token}, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert sent_count(shop) == 0
    rules(shop, {"match": SEND, "errcode": 45009, "account": "someone-else"})
    assert shop.call(SEND, body)["errcode"] == 0


def test_a_dropped_call_did_nothing_and_an_applied_one_did(shop: Shop) -> None:
    shop.follow()
    body, token = message(shop, add(shop)), shop.token()
    for applied, count in ((False, 0), (True, 1)):
        rules(shop, {"match": SEND, "drop": True, "applied": applied, "times": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            shop.http.post(SEND, params={"access_token": token}, json=body)
        assert sent_count(shop) == count
    assert shop.call(SEND, body)["errcode"] == 0


def test_a_delay_holds_only_what_it_matches(shop: Shop) -> None:
    rules(shop, {"match": "/cgi-bin/user/get", "delay_ms": 1500, "times": 1})
    token, done = shop.token(), []

    def slow() -> None:
        with httpx.Client(base_url=shop.http.base_url, trust_env=False) as client:
            client.get("/cgi-bin/user/get", params={"access_token": token})
            done.append("slow")

    thread = threading.Thread(target=slow)
    thread.start()
    while shop.http.get("/_sandbox/faults").json()["rules"][0]["times_left"] != 0:
        time.sleep(0.01)
    shop.http.get("/cgi-bin/getcallbackip", params={"access_token": token})
    done.append("quick")
    thread.join()
    assert done == ["quick", "slow"]


def test_a_duplicated_callback_shows_one_reply(shop: Shop, product: Product) -> None:
    shop.follow()
    product.answer = lambda one: (200, product.sealed(product.text_reply(one, "好")))
    rules(shop, {"match": "callback", "duplicate": 2, "event": "text"})

    assert shop.send(type="text", content="1")["reply"] == {"type": "text", "content": "好"}
    assert len({one.message["MsgId"] for one in product.received[1:]}) == 1
    assert len(product.received) == 4
    assert [m["kind"] for m in shop.chat()] == ["event", "text", "text"]


def test_a_lost_callback_is_tried_again(shop: Shop, product: Product) -> None:
    shop.follow()
    product.answer = lambda one: (200, product.sealed(product.text_reply(one, "好")))
    rules(shop, {"match": "callback", "drop": True, "times": 1})
    assert shop.send(type="text", content="1")["status"] == 200
    assert len(product.received) == 2
    assert shop.books("callbacks")[-1]["statuses"] == [0, 200]

    rules(shop, {"match": "callback", "drop": True, "applied": True, "times": 2})
    assert shop.send(type="text", content="2")["reply"] == {"type": "text", "content": "好"}
    again = [one for one in product.received if one.message.get("Content") == "2"]
    assert len(again) == 3
    assert len({one.message["MsgId"] for one in again}) == 1

    rules(shop, {"match": "callback", "status": 503})
    assert shop.send(type="text", content="3")["status"] == 503
    assert shop.chat()[-1]["kind"] == "system"


def test_callbacks_out_of_order(shop: Shop, product: Product) -> None:
    shop.follow()
    rules(shop, {"match": "callback", "reorder": True, "times": 1})
    first = threading.Thread(
        target=httpx.post,
        args=(f"{shop.http.base_url}/_sandbox/people/{shop.person}/messages",),
        kwargs={
            "json": {"account": shop.slug, "type": "text", "content": "先"},
            "trust_env": False,
            "timeout": 20,
        },
    )
    first.start()
    while shop.http.get("/_sandbox/faults").json()["rules"][0]["times_left"]:
        time.sleep(0.01)
    shop.send(type="text", content="后")
    first.join()
    assert [one.message.get("Content") for one in product.received[1:]] == ["后", "先"]


def test_dice(shop: Shop) -> None:
    never = {"match": "/cgi-bin/user/get", "errcode": -1, "probability": 0}
    rules(shop, never)
    assert "errcode" not in shop.call("/cgi-bin/user/get")
    rules(shop, never, {"match": "*", "errcode": -1, "probability": 1})
    assert shop.http.get("/cgi-bin/user/get").json()["errcode"] == -1
