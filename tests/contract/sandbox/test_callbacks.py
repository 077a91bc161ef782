"""What accounts receive when people act, in each mode, and what people see of the answers."""

import httpx
import pytest

from tests.contract.sandbox.conftest import open_shop
from tests.contract.sandbox.product import Product, Received


@pytest.mark.parametrize("mode", ["safe", "compatible", "plain"])
def test_follow_and_text_in_each_mode(http: httpx.Client, product: Product, mode: str) -> None:
    shop = open_shop(http, product, mode=mode)

    def answer(received: Received) -> tuple[int, str]:
        reply = product.text_reply(received, "欢迎 ]] & <光临>")
        return 200, reply if mode == "plain" else product.sealed(reply)

    product.answer = answer
    followed = shop.follow()
    wrote = shop.send(type="text", content="余额 <&]]> 😀")

    assert set(followed) == {"reply", "took_ms", "status"}
    assert followed["status"] == 200
    assert followed["reply"] == {"type": "text", "content": "欢迎 ]] & <光临>"}
    assert wrote["reply"] == followed["reply"]
    subscribe, text = product.received
    assert subscribe.message["MsgType"] == "event"
    assert subscribe.message["Event"] == "subscribe"
    assert subscribe.message["EventKey"] is None
    assert "MsgId" not in subscribe.message
    assert text.message["FromUserName"] == shop.openid == text.query["openid"]
    assert text.message["ToUserName"] == shop.record["original_id"]
    assert text.message["Content"] == "余额 <&]]> 😀"
    assert 0 < int(text.message["MsgId"]) < 2**63
    assert ("Encrypt" in text.body) == (mode != "plain")
    assert ("<Content>" in text.body) == (mode != "safe")
    assert [(m["direction"], m["kind"]) for m in shop.chat()] == [
        ("out", "event"),
        ("in", "text"),
        ("out", "text"),
        ("in", "text"),
    ]
