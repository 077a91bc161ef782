"""What accounts receive when people act, in each mode, and what people see of the answers."""

import httpx
import pytest

from tests.contract.sandbox.conftest import Shop, open_shop
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


def silent_after(product: Product) -> list[str]:
    return [received.message.get("Event") or "message" for received in product.received]


def test_following_by_scene_and_scanning_again(shop: Shop, product: Product) -> None:
    shop.follow(scene="table-7")
    shop.follow(scene="table-7")
    nothing = shop.follow()

    subscribe, scan = (received.message for received in product.received)
    assert (subscribe["Event"], subscribe["EventKey"]) == ("subscribe", "qrscene_table-7")
    assert (scan["Event"], scan["EventKey"]) == ("SCAN", "table-7")
    assert subscribe["Ticket"] == scan["Ticket"]
    assert nothing == {"reply": None, "took_ms": 0, "status": 0}


def test_unfollowing_is_told_once_and_closes_the_chat(shop: Shop, product: Product) -> None:
    shop.follow()
    shop.unfollow()
    again = shop.unfollow()
    refused = shop.http.post(
        f"/_sandbox/people/{shop.person}/messages",
        json={"account": shop.slug, "type": "text", "content": "还在吗"},
    )

    assert silent_after(product) == ["subscribe", "unsubscribe"]
    assert again["status"] == 0
    assert refused.status_code == 409
    assert refused.json()["code"] == "person.not_following"
    assert len(product.received) == 2
    assert shop.send(type="text", content="强行", force=True)["status"] == 200


def test_every_kind_of_message(shop: Shop, product: Product) -> None:
    shop.follow()
    shop.send(type="image")
    shop.send(type="voice", recognition="排队")
    shop.send(type="video")
    shop.send(type="location", lat=31.2304, lng=121.4737, label="人民广场")
    shop.send(type="link", title="菜单", description="今日", url="http://example.com/?a=1&b=2")

    image, voice, video, location, link = (one.message for one in product.received[1:])
    assert shop.http.get(image["PicUrl"]).headers["content-type"] == "image/gif"
    assert (voice["Format"], voice["Recognition"]) == ("amr", "排队")
    assert video["ThumbMediaId"]
    assert (location["Location_X"], location["Location_Y"]) == ("31.2304", "121.4737")
    assert (location["Scale"], location["Label"]) == ("15", "人民广场")
    assert link["Url"] == "http://example.com/?a=1&b=2"


def test_events_carry_their_fields(shop: Shop, product: Product) -> None:
    shop.follow()
    shop.send(type="event", event="CLICK", event_key="BALANCE")
    shop.send(type="event", event="VIEW", event_key="http://example.com/", menu_id="7")
    shop.send(type="event", event="LOCATION", latitude=31.2, longitude=121.4, precision=65.0)
    shop.send(
        type="event",
        event="scancode_waitmsg",
        event_key="SCAN",
        scan_result="T1",
    )
    shop.send(
        type="event",
        event="user_authorization_revoke",
        fields={"OpenID": shop.openid, "RevokeInfo": "205", "List": [{"A": 1}, {"A": 2}]},
    )

    click, view, location, scan, revoke = (one.message for one in product.received[1:])
    assert (click["Event"], click["EventKey"]) == ("CLICK", "BALANCE")
    assert (view["EventKey"], view["MenuId"]) == ("http://example.com/", "7")
    assert (location["Latitude"], location["Longitude"]) == ("31.2", "121.4")
    assert scan["ScanCodeInfo"] == {"ScanType": "qrcode", "ScanResult": "T1"}
    assert revoke["List"] == {"item": [{"A": "1"}, {"A": "2"}]}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "nothing"},
        {"type": 7},
        {},
        {"type": "text"},
        {"type": "text", "content": ["a"]},
        {"type": "location", "lat": "x", "lng": 2},
        {"type": "event"},
        {"type": "event", "event": "A B"},
        {"type": "event", "event": "CLICK", "fields": {"a b": 1}},
        {"type": "event", "event": "CLICK", "fields": {"A": None}},
        {"type": "text", "content": "x", "msg_id": -1},
        {"type": "text", "content": "x", "copies": 101},
        {"type": "image", "data_url": "data:text/html;base64,AAAA"},
    ],
)
def test_nonsense_is_refused_and_nothing_moves(
    shop: Shop, product: Product, message: dict[str, object]
) -> None:
    shop.follow()
    before = shop.chat()

    refused = shop.http.post(
        f"/_sandbox/people/{shop.person}/messages", json={"account": shop.slug, **message}
    )

    assert refused.status_code == 422, refused.text
    assert refused.json()["code"] == "message.invalid"
    assert len(product.received) == 1
    assert shop.chat() == before


def test_replayed_copies_are_the_same_message_signed_anew(shop: Shop, product: Product) -> None:
    shop.follow()
    answer = shop.send(
        type="text", content="1", msg_id="6054768590064713728", create_time=1348831860, copies=3
    )

    copies = product.received[1:]
    assert len(copies) == 3
    assert {one.message["MsgId"] for one in copies} == {"6054768590064713728"}
    assert {one.message["CreateTime"] for one in copies} == {"1348831860"}
    assert len({one.query["nonce"] for one in copies}) == 3
    assert len(answer["copies"]) == 3
    assert [m["kind"] for m in shop.chat()] == ["event", "text"]


def test_three_tries_then_the_person_is_told(shop: Shop, product: Product) -> None:
    shop.follow()
    product.answer = lambda _received: (500, "")

    answer = shop.send(type="text", content="在吗")

    assert answer["reply"] is None
    assert answer["status"] == 500
    assert len(product.received) == 4
    assert len({one.message["MsgId"] for one in product.received[1:]}) == 1
    last = shop.chat()[-1]
    assert (last["direction"], last["kind"]) == ("in", "system")
    assert last["content"] == "该公众号暂时无法提供服务"
    owed = shop.books("callbacks")[-1]
    assert (owed["tries"], owed["statuses"], owed["state"]) == (3, [500, 500, 500], "failed")


def test_a_failed_event_that_nobody_waits_for_is_not_shown(shop: Shop, product: Product) -> None:
    shop.follow()
    product.answer = lambda _received: (500, "")

    shop.send(type="event", event="LOCATION", latitude=1, longitude=2, precision=3)

    assert [m["kind"] for m in shop.chat()] == ["event", "event"]


def test_an_unusable_answer_is_not_asked_for_again(shop: Shop, product: Product) -> None:
    shop.follow()
    wrong = [
        lambda _one: "hello",
        lambda one: product.text_reply(one, "明文"),
        lambda one: product.sealed(product.text_reply(one, "")),
        lambda one: product.sealed(product.text_reply(one, "字" * 683)),
        lambda one: product.sealed(product.text_reply(one, "x").replace(shop.openid, "oOther")),
        lambda one: product.sealed(product.text_reply(one, "x")).replace("MsgSignature>", "Sig>"),
        lambda one: product.sealed(product.text_reply(one, "x")).replace("nonce1234", "nonce1235"),
        lambda one: "<!DOCTYPE xml [<!ENTITY a 'b'>]>" + product.text_reply(one, "&a;"),
    ]
    for number, body in enumerate(wrong, start=1):
        product.answer = lambda received, body=body: (200, body(received))  # type: ignore[misc]
        answer = shop.send(type="text", content=str(number))
        assert (answer["reply"], answer["status"]) == (None, 200)
        assert len(product.received) == 1 + number
        assert shop.chat()[-1]["kind"] == "system", number


def test_silence_is_silence(shop: Shop, product: Product) -> None:
    shop.follow()
    for body in ("", "success", " success\n"):
        product.answer = lambda _received, body=body: (200, body)  # type: ignore[misc]
        assert shop.send(type="text", content="谢谢")["reply"] is None
    assert [m["kind"] for m in shop.chat()] == ["event", "text", "text", "text"]


def test_an_account_without_address_keeps_what_people_write(shop: Shop, product: Product) -> None:
    changed = shop.http.patch(f"/_sandbox/accounts/{shop.slug}", json={"callback_url": None})
    assert changed.json()["callback_url"] is None

    assert shop.follow() == {"reply": None, "took_ms": 0, "status": 0}
    assert shop.send(type="text", content="有人吗")["status"] == 0
    assert product.received == []


def test_an_address_where_nobody_listens(shop: Shop, product: Product) -> None:
    shop.http.patch(
        f"/_sandbox/accounts/{shop.slug}", json={"callback_url": "http://127.0.0.1:9/callback"}
    )
    answer = shop.follow()
    assert (answer["reply"], answer["status"]) == (None, 0)
    assert shop.books("callbacks")[-1]["statuses"] == [0, 0, 0]


def test_the_handshake(shop: Shop, product: Product) -> None:
    verified = shop.http.post(f"/_sandbox/accounts/{shop.slug}/verify").json()
    assert (verified["ok"], verified["status"], verified["reason"]) == (True, 200, "")
    shop.http.patch(f"/_sandbox/accounts/{shop.slug}", json={"callback_url": "http://127.0.0.1:9/"})
    failed = shop.http.post(f"/_sandbox/accounts/{shop.slug}/verify").json()
    assert (failed["ok"], failed["status"]) == (False, 0)


def test_taps_and_scans_by_their_short_names(shop: Shop, product: Product) -> None:
    shop.follow()
    shop.send(type="click", key="BALANCE")
    shop.send(type="SCAN", event_key="7")
    click, scan = (one.message for one in product.received[1:])
    assert (click["MsgType"], click["Event"], click["EventKey"]) == ("event", "CLICK", "BALANCE")
    assert (scan["Event"], scan["EventKey"]) == ("SCAN", "7")
    assert scan["Ticket"].endswith("==")
