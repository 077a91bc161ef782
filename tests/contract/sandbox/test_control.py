"""The control API: accounts, people, scanner, places, cookies, books, calls, live stream."""

import json
import re

import httpx
import pytest

from tests.contract.sandbox.conftest import Shop
from tests.contract.sandbox.product import Product


def test_accounts_have_ids_and_keys_of_the_right_shapes(shop: Shop, product: Product) -> None:
    record = next(
        one for one in shop.http.get("/_sandbox/accounts").json() if one["slug"] == shop.slug
    )
    assert record == shop.record
    for name, shape in {
        "appid": r"wx[0-9a-f]{16}",
        "original_id": r"gh_[0-9a-f]{12}",
        "secret": r"[0-9a-f]{32}",
        "token": r"[A-Za-z0-9]{3,32}",
        "encoding_aes_key": r"[A-Za-z0-9+/]{43}",
    }.items():
        assert re.fullmatch(shape, record[name]), name
    assert (record["mode"], record["callback_url"]) == ("safe", product.url)
    assert shop.http.get("/_sandbox/merchants").json() == []


def test_making_an_account_again_changes_it_and_keeps_its_keys(shop: Shop) -> None:
    again = shop.http.post(
        "/_sandbox/accounts", json={"slug": shop.slug, "name": "新名", "mode": "plain"}
    )
    assert again.status_code == 200
    assert again.json() == shop.record | {"name": "新名", "mode": "plain"}


@pytest.mark.parametrize(
    "body,status",
    [
        ({"name": "x"}, 400),
        ({"slug": "A B", "name": "x"}, 400),
        ({"slug": "ok", "name": ""}, 400),
        ({"slug": "ok", "name": "x", "mode": "loud"}, 400),
        ({"slug": "ok", "name": "x", "other": 1}, 400),
        ({"slug": "ok", "name": "x", "callback_url": "ftp://a"}, 422),
        ({"slug": "ok", "name": "x", "callback_url": "http://"}, 422),
        ({"slug": "ok", "name": "x", "callback_url": "http://a:99999/"}, 422),
    ],
)
def test_accounts_that_cannot_be(http: httpx.Client, body: dict[str, str], status: int) -> None:
    before = http.get("/_sandbox/accounts").json()
    assert http.post("/_sandbox/accounts", json=body).status_code == status
    assert http.get("/_sandbox/accounts").json() == before


def test_people_are_there_from_the_start(shop: Shop) -> None:
    people = shop.http.get("/_sandbox/people").json()
    assert [person["id"] for person in people][:2] == ["lin", "chen"]
    assert len({person["unionid"] for person in people}) == len(people)
    openids = [person["openids"][shop.slug] for person in people]
    assert len(set(openids)) == len(people)
    assert all(re.fullmatch(r"o[A-Za-z0-9_-]{27}", openid) for openid in openids)
    assert len({openid[:6] for openid in openids}) == 1
    avatar = shop.http.get(people[0]["avatar"])
    assert avatar.headers["content-type"].startswith("image/svg+xml")
    shop.follow()
    assert shop.http.get(f"/_sandbox/people/{shop.person}").json()["following"] == [shop.slug]


def test_names_are_escaped_in_pictures(http: httpx.Client) -> None:
    person = http.post("/_sandbox/people", json={"name": "<"}).json()
    assert "&lt;</text>" in http.get(person["avatar"]).text
    assert http.post("/_sandbox/people", json={"name": " "}).status_code == 400
    assert http.post("/_sandbox/people", json={"name": "x", "phone": "1"}).status_code == 400


def test_strangers_are_not_found(http: httpx.Client) -> None:
    for method, path in (
        ("GET", "/_sandbox/people/nobody"),
        ("GET", "/_sandbox/people/nobody/chat?account=x"),
        ("GET", "/_sandbox/people/lin/chat?account=x"),
        ("GET", "/_sandbox/people/nobody/open?url=http://a/"),
        ("GET", "/_sandbox/accounts/none/menu"),
        ("GET", "/_sandbox/nothing"),
        ("GET", "/avatars/nobody.svg"),
        ("GET", "/phone/..%2fcli.py"),
        ("GET", "/phone/../cli.py"),
        ("GET", "/dist/../../cli.py"),
    ):
        answer = http.request(method, path)
        assert answer.status_code == 404, path
        assert set(answer.json()) >= {"code", "message"}
    assert http.post("/_sandbox/people/lin/follow", json={"account": "x"}).status_code == 404


def test_the_scanner(shop: Shop, product: Product) -> None:
    def scan(text: str) -> dict[str, object]:
        answer = shop.http.post("/_sandbox/scan", json={"person": shop.person, "text": text})
        assert answer.status_code == 200
        done: dict[str, object] = answer.json()
        return done

    first, second = scan(shop.record["qr_text"]), scan(shop.record["qr_text"])
    assert (first["action"], first["account"], first["status"]) == ("follow", shop.slug, 200)
    assert (second["action"], second["status"]) == ("scan", 0)
    assert len(product.received) == 1
    assert scan(" https://a.example/x?y=1 ") == {"action": "open", "url": "https://a.example/x?y=1"}
    for text in (
        "90123456789012345678",
        "javascript:alert(1)",
        "http://",
        "http://a b",
        "http://[",
    ):
        assert scan(text) == {"action": "text", "text": text}
    assert scan("http://weixin.qq.com/q/none")["action"] == "open"


def test_each_person_has_a_jar_of_cookies(shop: Shop, http: httpx.Client) -> None:
    target = {"url": "http://127.0.0.1:8000/h5/a/card?x=1"}
    with httpx.Client(base_url=http.base_url, trust_env=False) as browser:
        first = browser.get(f"/_sandbox/people/{shop.person}/open", params=target)
        again = browser.get(f"/_sandbox/people/{shop.person}/open", params=target)
        other = browser.get("/_sandbox/people/lin/open", params=target)
        bad = browser.get("/_sandbox/people/lin/open", params={"url": "javascript:alert(1)"})

    def cookies(answer: httpx.Response) -> dict[str, str]:
        return dict(line.split("=", 1) for line in answer.headers.get_list("set-cookie"))

    assert first.headers["location"] == target["url"]
    assert cookies(first)["sandbox_person"].startswith(f"{shop.person}; ")
    assert set(cookies(first)) == {"sandbox_person", "shop", "pad"}
    assert "Max-Age=0" in cookies(first)["shop"]
    assert set(cookies(again)) == {"sandbox_person"}
    assert set(cookies(other)) == {"sandbox_person", "shop", "pad"}
    assert bad.status_code == 422


def test_what_a_page_outside_the_phone_may_ask(shop: Shop) -> None:
    path = "/_sandbox/jssdk/device"
    shop.http.patch(
        f"/_sandbox/people/{shop.person}",
        json={"location": {"lat": 31.2, "lng": 121.4}, "next_scan": "T1"},
    )
    with httpx.Client(base_url=shop.http.base_url, trust_env=False) as browser:
        assert browser.get(path).json() == {"location": None, "scan": None}
        browser.get(f"/_sandbox/people/{shop.person}/open", params={"url": "http://a/"})
        place = {"latitude": 31.2, "longitude": 121.4}
        assert browser.get(path).json() == {"location": place, "scan": None}
        scan = {"api": "scanQRCode"}
        assert browser.get(path, params=scan).json() == {"location": place, "scan": "T1"}
        assert browser.get(path, params=scan).json() == {"location": place, "scan": None}
    for location in ({}, {"lat": 91, "lng": 0}):
        body = {"location": location}
        assert shop.http.patch(f"/_sandbox/people/{shop.person}", json=body).status_code == 422


def test_the_map(http: httpx.Client) -> None:
    known = http.get("/_sandbox/map").json()
    assert known["cities"] == ["上海", "杭州", "南京"]
    assert len(known["places"]) >= 12
    place = {"name": "示例一店", "city": "上海", "lat": 31.2, "lng": 121.4, "kind": "store"}
    added = http.put("/_sandbox/places", json={"places": [place]}).json()
    moved = http.put("/_sandbox/places", json={"places": [place | {"lat": 31.3}]}).json()
    assert place in added["places"]
    assert len(moved["places"]) == len(added["places"]) == len(known["places"]) + 1
    assert http.put("/_sandbox/places", json={"places": [place | {"lat": 99}]}).status_code == 400


def test_recorded_calls_hold_no_secret(shop: Shop) -> None:
    shop.follow()
    shop.call("/cgi-bin/user/info", openid=shop.openid)
    shop.http.get(
        "/cgi-bin/token",
        params={
            "grant_type": "client_credential",
            "appid": shop.record["appid"],
            "secret": shop.record["secret"],
        },
    )
    listed = shop.http.get("/_sandbox/calls", params={"account": shop.slug}).json()["calls"]
    assert [call["path"] for call in listed] == [
        "callback subscribe",
        "/cgi-bin/stable_token",
        "/cgi-bin/user/info",
        "/cgi-bin/token",
    ]
    assert shop.record["secret"] not in json.dumps(listed)
    tokens = [one["token"] for one in shop.books("tokens")]
    assert len(tokens) == 2
    assert all(re.fullmatch(".{6}…", token) for token in tokens)
    callback = listed[0]
    assert (callback["kind"], callback["status"], callback["response"]) == (
        "callback",
        200,
        "success",
    )
    assert "<Event><![CDATA[subscribe]]></Event>" in callback["request"]
    later = shop.http.get("/_sandbox/calls", params={"after": callback["seq"]}).json()["calls"]
    assert callback["seq"] not in [call["seq"] for call in later]


def test_the_live_stream(shop: Shop) -> None:
    seen = []
    with shop.http.stream("GET", "/_sandbox/stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if not line.startswith("data: "):
                continue
            notice = json.loads(line.removeprefix("data: "))
            if notice["kind"] == "hello":
                shop.follow()
            seen.append(notice)
            if notice["kind"] == "call":
                break
    kinds = [notice["kind"] for notice in seen]
    assert kinds == ["hello", "people", "chat", "call"]
    chat = seen[2]
    assert (chat["person"], chat["account"]) == (shop.person, shop.slug)
    assert chat["seq"] == shop.chat()[0]["seq"]


def test_no_other_site_steers_the_sandbox(http: httpx.Client) -> None:
    body = {"name": "访客"}
    evil = http.post("/_sandbox/people", json=body, headers={"Origin": "http://evil.example"})
    own = http.post(
        "/_sandbox/people", json=body, headers={"Origin": str(http.base_url).rstrip("/")}
    )
    assert (evil.status_code, own.status_code) == (403, 201)


def test_files_come_with_one_plain_content_type(http: httpx.Client) -> None:
    style, script = http.get("/oauth.css"), http.get("/jweixin.js")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["x-content-type-options"] == "nosniff"
