"""Followers, scene codes and menus over the API."""

import json
from typing import Any

import pytest

from tests.contract.sandbox.conftest import Shop
from tests.contract.sandbox.product import Product

CREATE = "/cgi-bin/qrcode/create"


def test_user_info_of_strangers_followers_and_leavers(shop: Shop) -> None:
    unionid = shop.http.get(f"/_sandbox/people/{shop.person}").json()["unionid"]
    before = shop.call("/cgi-bin/user/info", openid=shop.openid)
    shop.follow(scene="door")
    info = shop.call("/cgi-bin/user/info", openid=shop.openid, lang="zh_CN")
    shop.unfollow()
    after = shop.call("/cgi-bin/user/info", openid=shop.openid)

    assert before == after == {"subscribe": 0, "openid": shop.openid, "unionid": unionid}
    assert info["subscribe_time"] > 1_500_000_000
    assert (info["qr_scene"], info["qr_scene_str"]) == (0, "door")
    assert (info["nickname"], info["headimgurl"], info["unionid"]) == ("", "", unionid)
    assert info["subscribe_scene"] == "ADD_SCENE_QR_CODE"
    assert shop.call("/cgi-bin/user/info")["errcode"] == 41009
    assert shop.call("/cgi-bin/user/info", openid="oStranger")["errcode"] == 40003


def test_unionid_groups(shop: Shop) -> None:
    def unionid(slug: str, group: str | None) -> str | None:
        body = {"slug": slug, "name": slug} | ({} if group is None else {"unionid_group": group})
        record = shop.http.post("/_sandbox/accounts", json=body).json()
        openid = shop.http.get(f"/_sandbox/people/{shop.person}").json()["openids"][slug]
        there = Shop(shop.http, slug, record, shop.product, shop.person, openid)
        found: str | None = there.call("/cgi-bin/user/info", openid=openid).get("unionid")
        return found

    same, also_same = unionid("union-a", None), unionid("union-b", "default")
    other, none = unionid("union-c", "another"), unionid("union-d", "")
    assert same == also_same is not None
    assert other is not None
    assert other != same
    assert none is None


def test_batches_and_pages(shop: Shop) -> None:
    batch = "/cgi-bin/user/info/batchget"
    assert shop.call("/cgi-bin/user/get") == {"total": 0, "count": 0, "next_openid": ""}
    shop.follow()
    everyone = shop.call("/cgi-bin/user/get")
    assert everyone["data"] == {"openid": [shop.openid]}
    assert everyone["next_openid"] == shop.openid
    rest = shop.call("/cgi-bin/user/get", next_openid=shop.openid)
    assert rest == {"total": 1, "count": 0, "next_openid": ""}
    assert shop.call("/cgi-bin/user/get", next_openid="oStranger")["errcode"] == 40003
    users = [{"openid": shop.openid, "lang": "zh_CN"}]
    assert len(shop.call(batch, {"user_list": users * 100})["user_info_list"]) == 100
    for body, code in (
        ({"user_list": users * 101}, 40032),
        ({"user_list": []}, 40031),
        ({"user_list": [shop.openid]}, 40031),
        ({"user_list": [{"openid": "oStranger"}]}, 40003),
    ):
        assert shop.call(batch, body)["errcode"] == code


def test_remarks(shop: Shop) -> None:
    path = "/cgi-bin/user/info/updateremark"
    body = {"openid": shop.openid, "remark": "靠窗"}
    assert shop.call(path, body)["errcode"] == 43004
    shop.follow()
    assert shop.call(path, body | {"remark": "字" * 30})["errcode"] == 40092
    assert shop.call(path, body)["errcode"] == 0
    shop.unfollow()
    shop.follow()
    assert shop.call("/cgi-bin/user/info", openid=shop.openid)["remark"] == ""


@pytest.mark.parametrize(
    "action,scene,key",
    [
        ("QR_SCENE", {"scene_id": 123}, "123"),
        ("QR_STR_SCENE", {"scene_str": "桌号7"}, "桌号7"),
        ("QR_LIMIT_SCENE", {"scene_id": 100_000}, "100000"),
        ("QR_LIMIT_STR_SCENE", {"scene_str": "x" * 64}, "x" * 64),
    ],
)
def test_a_scene_code_from_api_to_scan(
    shop: Shop, product: Product, action: str, scene: dict[str, Any], key: str
) -> None:
    made = shop.call(CREATE, {"action_name": action, "action_info": {"scene": scene}})
    assert made["url"] == f"http://weixin.qq.com/q/{made['ticket']}"
    assert made.get("expire_seconds") == (None if "LIMIT" in action else 60)
    scan = {"person": shop.person, "text": made["url"]}
    first = shop.http.post("/_sandbox/scan", json=scan).json()
    second = shop.http.post("/_sandbox/scan", json=scan).json()

    assert (first["action"], first["scene"], first["status"]) == ("follow", key, 200)
    assert second["action"] == "scan"
    subscribe, again = (one.message for one in product.received)
    assert (subscribe["EventKey"], again["EventKey"]) == (f"qrscene_{key}", key)
    assert subscribe["Ticket"] == again["Ticket"] == made["ticket"]


def test_without_the_scene_wrapper_the_key_is_zero(shop: Shop, product: Product) -> None:
    made = shop.call(CREATE, {"action_name": "QR_STR_SCENE", "action_info": {"scene_str": "table"}})
    shop.http.post("/_sandbox/scan", json={"person": shop.person, "text": made["url"]})
    assert product.received[0].message["EventKey"] == "qrscene_0"


def test_a_code_expires(shop: Shop, product: Product) -> None:
    body = {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 5}}}
    made = shop.call(CREATE, body | {"expire_seconds": 90})
    shop.http.post("/_sandbox/clock", json={"advance_seconds": 91})
    scan = {"person": shop.person, "text": made["url"]}
    assert shop.http.post("/_sandbox/scan", json=scan).json()["action"] == "expired"
    assert product.received == []
    longest = shop.call(CREATE, body | {"expire_seconds": 99_999_999})
    assert longest["expire_seconds"] == 2_592_000


@pytest.mark.parametrize(
    "body,code",
    [
        ({}, 40052),
        ({"action_name": "QR_CARD"}, 40052),
        ({"action_name": ["QR_SCENE"]}, 40052),
        ({"action_name": "QR_SCENE"}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": 5}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 0}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 2**32}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": True}}}, 40053),
        ({"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": "7"}}}, 40053),
        ({"action_name": "QR_LIMIT_SCENE", "action_info": {"scene": {"scene_id": 100_001}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": ""}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "action_info": {"scene": {"scene_str": "x" * 65}}}, 40053),
    ],
)
def test_scene_codes_that_cannot_be(shop: Shop, body: dict[str, Any], code: int) -> None:
    assert shop.call(CREATE, body)["errcode"] == code


def test_pictures_of_codes(shop: Shop) -> None:
    made = shop.call(CREATE, {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 5}}})
    picture = shop.http.get("/cgi-bin/showqrcode", params={"ticket": made["ticket"]})
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert shop.http.get("/cgi-bin/showqrcode", params={"ticket": "no"}).status_code == 404
    own = shop.http.get(f"/_sandbox/accounts/{shop.slug}/qr.svg")
    assert own.headers["content-type"].startswith("image/svg+xml")
    any_text = shop.http.get("/_sandbox/qr.svg", params={"text": shop.record["qr_text"]})
    assert own.content == any_text.content


def raw_menu(shop: Shop, body: bytes) -> int:
    answer = shop.http.post(
        "/cgi-bin/menu/create", params={"access_token": shop.token()}, content=body
    )
    return int(answer.json()["errcode"])


def test_menus(shop: Shop) -> None:
    buttons: list[Any] = [
        {"type": "click", "name": "会员卡", "key": "CARD"},
        {"name": "门店", "sub_button": [{"type": "view", "name": "点餐", "url": "http://a/"}] * 5},
    ]
    assert shop.call("/cgi-bin/menu/get")["errcode"] == 46003
    body = {"button": buttons}
    assert raw_menu(shop, json.dumps(body).encode()) == 40033
    assert shop.call("/cgi-bin/menu/get")["errcode"] == 46003
    assert raw_menu(shop, json.dumps(body, ensure_ascii=False).encode()) == 0
    menu = shop.call("/cgi-bin/menu/get")["menu"]
    assert menu["button"][0] == {**buttons[0], "sub_button": []}
    assert len(menu["button"][1]["sub_button"]) == 5
    assert shop.http.get(f"/_sandbox/accounts/{shop.slug}/menu").json() == {"menu": menu}
    assert shop.call("/cgi-bin/menu/delete")["errcode"] == 0
    assert shop.http.get(f"/_sandbox/accounts/{shop.slug}/menu").json() == {"menu": None}


VIEW = {"type": "view", "name": "a", "url": "http://a/"}


@pytest.mark.parametrize(
    "buttons,code",
    [
        (None, 40016),
        ([], 40016),
        ([VIEW] * 4, 40016),
        ([VIEW | {"name": "名" * 6}], 40018),
        ([VIEW | {"name": ""}], 40018),
        ([VIEW | {"type": "jump"}], 40017),
        ([VIEW | {"url": "ftp://a"}], 40055),
        ([VIEW | {"url": "http://" + "a" * 1024}], 40020),
        ([{"type": "click", "name": "a"}], 40019),
        ([{"type": "click", "name": "a", "key": "k" * 129}], 40019),
        ([{"name": "a", "sub_button": [VIEW] * 6}], 40023),
        ([{"name": "a", "sub_button": [VIEW | {"name": "名" * 21}]}], 40025),
        ([{"name": "a", "sub_button": [{"name": "b", "sub_button": [VIEW]}]}], 40022),
        ([{"name": "a", "sub_button": [VIEW | {"url": "x"}]}], 40054),
        ([{"name": "a", "sub_button": [{"type": "x", "name": "b"}]}], 40024),
        (["a"], 47001),
    ],
)
def test_menus_that_cannot_be(shop: Shop, buttons: Any, code: int) -> None:
    body = json.dumps({"button": buttons}, ensure_ascii=False).encode()
    assert raw_menu(shop, body) == code
    assert shop.call("/cgi-bin/menu/get")["errcode"] == 46003
