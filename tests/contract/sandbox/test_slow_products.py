"""A product that is slow: five seconds a try, and nobody else waits meanwhile."""

import threading
import time

from tests.contract.sandbox.conftest import Shop, open_shop
from tests.contract.sandbox.product import Product, Received


def test_a_slow_try_is_repeated_while_others_are_served(shop: Shop) -> None:
    shop.follow()
    product, release = shop.product, threading.Event()

    def answer(received: Received) -> tuple[int, str]:
        tries = [one for one in product.received if one.message.get("Content") == "慢"]
        if received.message.get("Content") == "慢" and len(tries) == 1:
            release.wait(8)
        return 200, product.sealed(product.text_reply(received, "好"))

    product.answer = answer
    done: list[dict[str, object]] = []
    slow = threading.Thread(target=lambda: done.append(shop.send(type="text", content="慢")))
    slow.start()
    while len(product.received) < 2:
        time.sleep(0.01)

    with Product() as quick_product:
        quick = open_shop(shop.http, quick_product)
        assert quick.follow()["status"] == 200
        assert done == []
    slow.join(20)
    release.set()

    assert done[0]["reply"] == {"type": "text", "content": "好"}
    owed = shop.books("callbacks")[-1]
    assert (owed["tries"], owed["statuses"]) == (2, [0, 200])
    assert [m["content"] for m in shop.chat() if m["kind"] == "text"] == ["慢", "好"]
