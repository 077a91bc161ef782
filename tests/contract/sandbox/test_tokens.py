"""Both token spaces: who gets one, how long it lives, how each refusal reads."""

import re
from typing import Any

import httpx
import pytest

from tests.contract.sandbox.conftest import Shop

RID = re.compile(r" rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$")
STABLE = "/cgi-bin/stable_token"


def basic(shop: Shop, **changes: str) -> dict[str, Any]:
    query = {
        "grant_type": "client_credential",
        "appid": shop.record["appid"],
        "secret": shop.record["secret"],
    } | changes
    answer = shop.http.get("/cgi-bin/token", params=query)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; encoding=utf-8"
    done: dict[str, Any] = answer.json()
    return done


def stable(shop: Shop, **changes: object) -> dict[str, Any]:
    body = {
        "grant_type": "client_credential",
        "appid": shop.record["appid"],
        "secret": shop.record["secret"],
    } | changes
    done: dict[str, Any] = shop.http.post(STABLE, json=body).json()
    return done


def errcode(shop: Shop, token: str) -> int:
    answer = shop.http.get("/cgi-bin/get_api_domain_ip", params={"access_token": token}).json()
    return int(answer.get("errcode", 0))


def advance(shop: Shop, seconds: float) -> None:
    shop.http.post("/_sandbox/clock", json={"advance_seconds": seconds}).raise_for_status()


def test_each_basic_token_is_new_and_the_old_one_lives_five_minutes(shop: Shop) -> None:
    first, second = basic(shop), basic(shop)

    assert first["expires_in"] == second["expires_in"] == 7200
    assert first["access_token"] != second["access_token"]
    assert errcode(shop, first["access_token"]) == 0
    advance(shop, 301)
    assert errcode(shop, first["access_token"]) == 40001
    assert errcode(shop, second["access_token"]) == 0
    advance(shop, 7000)
    assert errcode(shop, second["access_token"]) == 42001


def test_the_stable_token_stays_until_its_last_five_minutes(shop: Shop) -> None:
    first = stable(shop)
    advance(shop, 6800)
    same = stable(shop)
    advance(shop, 150)
    second = stable(shop)

    assert same["access_token"] == first["access_token"]
    assert 390 <= same["expires_in"] <= 400
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 7200
    assert errcode(shop, first["access_token"]) == 0
    assert errcode(shop, second["access_token"]) == 0
    basic(shop)
    assert errcode(shop, second["access_token"]) == 0


def test_a_forced_refresh_kills_the_old_token_but_not_within_thirty_seconds(shop: Shop) -> None:
    first = stable(shop)
    too_soon = stable(shop, force_refresh=True)
    advance(shop, 31)
    forced = stable(shop, force_refresh=True)

    assert too_soon["access_token"] == first["access_token"]
    assert forced["access_token"] != first["access_token"]
    assert errcode(shop, first["access_token"]) == 40001
    assert errcode(shop, forced["access_token"]) == 0


def test_twenty_forced_refreshes_a_day(shop: Shop) -> None:
    answers = []
    for _ in range(21):
        advance(shop, 31)
        answers.append(stable(shop, force_refresh=True))
    assert len({answer["access_token"] for answer in answers[:20]}) == 20
    assert answers[20]["errcode"] == 45009
    assert errcode(shop, answers[19]["access_token"]) == 0


@pytest.mark.parametrize(
    "changes,code",
    [
        ({"grant_type": "x"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "0" * 32}, 40125),
    ],
)
def test_credentials_are_checked(shop: Shop, changes: dict[str, str], code: int) -> None:
    before = len(shop.books("tokens"))
    for answer in (basic(shop, **changes), stable(shop, **changes)):
        assert answer["errcode"] == code
        assert RID.search(answer["errmsg"])
    assert len(shop.books("tokens")) == before


@pytest.mark.parametrize(
    "query,code",
    [
        ({}, 41001),
        ({"access_token": ""}, 41001),
        ({"access_token": "80_" + "a" * 100}, 40001),
        ({"access_token": "a b"}, 40014),
        ({"access_token": "a" * 513}, 40014),
    ],
)
def test_a_call_needs_a_live_token(http: httpx.Client, query: dict[str, str], code: int) -> None:
    answer = http.get("/cgi-bin/user/get", params=query).json()
    assert answer["errcode"] == code
    assert RID.search(answer["errmsg"])


def test_a_jsapi_ticket_is_no_access_token(shop: Shop) -> None:
    ticket = shop.call("/cgi-bin/ticket/getticket", type="jsapi")
    assert (ticket["errcode"], ticket["expires_in"]) == (0, 7200)
    assert shop.call("/cgi-bin/ticket/getticket", type="jsapi")["ticket"] == ticket["ticket"]
    assert shop.call("/cgi-bin/ticket/getticket", type="wx_card")["errcode"] == 40097
    assert errcode(shop, ticket["ticket"]) == 40001


def test_methods_paths_and_bodies(shop: Shop) -> None:
    assert shop.http.post("/cgi-bin/token").json()["errcode"] == 43001
    assert shop.http.get(STABLE).json()["errcode"] == 43002
    assert shop.call("/cgi-bin/no/such")["errcode"] == 40066
    send = "/cgi-bin/message/template/send"
    query = {"access_token": shop.token()}
    for content, code in ((b"", 44002), (b"{", 47001), (b"[]", 47001), (b"\xff", 47001)):
        assert shop.http.post(send, params=query, content=content).json()["errcode"] == code
    deep = b"[" * 100_000
    assert shop.http.post(send, params=query, content=deep).json()["errcode"] == 47001


def test_expired_on_command(shop: Shop) -> None:
    token, bystander = stable(shop)["access_token"], shop.record["slug"]
    done = shop.http.post("/_sandbox/faults/expire-tokens", json={"account": bystander})
    assert done.json()["expired"] >= 1
    assert errcode(shop, token) == 42001
    renewed = stable(shop)["access_token"]
    assert renewed != token
    assert errcode(shop, renewed) == 0
    assert shop.http.post("/_sandbox/faults/expire-tokens").status_code == 200
    assert errcode(shop, renewed) == 42001


def test_the_daily_quota_and_its_clearing(shop: Shop) -> None:
    path = "/cgi-bin/user/get"
    limited = {"account": shop.slug, "api": path, "daily_limit": 2}
    assert shop.http.put("/_sandbox/quotas", json=limited).status_code == 200

    assert [shop.call(path).get("errcode", 0) for _ in range(3)] == [0, 0, 45009]
    quota = shop.call("/cgi-bin/openapi/quota/get", {"cgi_path": path})["quota"]
    assert quota == {"daily_limit": 2, "used": 2, "remain": 0}
    assert shop.call("/cgi-bin/openapi/quota/get", {"cgi_path": "/x"})["errcode"] == 76021
    assert shop.call("/cgi-bin/clear_quota", {"appid": "wx1"})["errcode"] == 40013
    assert shop.call("/cgi-bin/clear_quota", {"appid": shop.record["appid"]})["errcode"] == 0
    assert "errcode" not in shop.call(path)
    advance(shop, 86_400)
    assert "errcode" not in shop.call(path)
    codes = [
        shop.call("/cgi-bin/clear_quota", {"appid": shop.record["appid"]})["errcode"]
        for _ in range(10)
    ]
    assert codes == [0] * 9 + [48006]
