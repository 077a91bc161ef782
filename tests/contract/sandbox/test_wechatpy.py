"""wechatpy's own client, unchanged but for its base address, works against the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest
import wechatpy
import wechatpy.client
from wechatpy.exceptions import WeChatClientException

from tests.contract.sandbox.conftest import Shop
from tests.contract.sandbox.test_templates import VALUES, add


@pytest.fixture
def client(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two addresses are written into wechatpy's code: the token's and the QR picture's."""
    base = str(shop.http.base_url).rstrip("/")
    made = wechatpy.client.WeChatClient(shop.record["appid"], shop.record["secret"])
    made.API_BASE_URL = f"{base}/cgi-bin/"
    real = made._http.request

    def request(method: str, url: str, **more: Any) -> Any:
        for host in ("https://api.weixin.qq.com", "https://mp.weixin.qq.com"):
            url = url.replace(host, base)
        return real(method=method, url=url, **more)

    monkeypatch.setattr(made._http, "request", request)
    monkeypatch.setattr(made._http, "get", lambda url, **more: request("GET", url, **more))
    monkeypatch.setattr(made._http, "trust_env", False)
    # The picture is fetched by a plain `requests.get`, outside the client's session.
    monkeypatch.setattr(
        wechatpy.client.api.qrcode.requests, "get", lambda url, **more: request("GET", url, **more)
    )
    yield made
    made._http.close()


def test_token_and_ticket(client: Any) -> None:
    token = client.fetch_access_token()
    assert token["expires_in"] == 7200
    assert client.access_token == token["access_token"]
    ticket = client.jsapi.get_jsapi_ticket()
    assert ticket == client.jsapi.get_ticket()["ticket"]


def test_template(shop: Shop, client: Any) -> None:
    shop.follow()
    template_id = add(shop)
    sent = client.message.send_template(
        shop.openid, template_id, {key: {"value": value} for key, value in VALUES.items()}
    )
    assert sent["errcode"] == 0
    assert [m["kind"] for m in shop.chat()] == ["event", "template"]
    listed = client.template.get_all_private_template()["template_list"]
    assert [one["template_id"] for one in listed] == [template_id]
    client.template.del_private_template(template_id)
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_template(shop.openid, template_id, {})
    assert refused.value.errcode == 40037


def test_customer_service_messages(shop: Shop, client: Any) -> None:
    shop.follow()
    client.message.send_text(shop.openid, "您好 <b>")
    client.message.send_image(shop.openid, "media")
    article = {"title": "菜单", "description": "", "image": "http://a/p", "url": "http://a"}
    client.message.send_articles(shop.openid, [article])
    assert [m["type"] for m in shop.chat() if m["kind"] == "custom"] == ["text", "image", "news"]
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_text(shop.openid, "再来一条")
    assert refused.value.errcode == 45047


def test_users(shop: Shop, client: Any) -> None:
    assert client.user.get(shop.openid)["subscribe"] == 0
    shop.follow()
    client.user.update_remark(shop.openid, "靠窗")
    user = client.user.get(shop.openid)
    assert (user["subscribe"], user["remark"], user["nickname"]) == (1, "靠窗", "")
    assert client.user.get_batch([shop.openid])[0]["openid"] == shop.openid
    assert client.user.get_followers()["data"]["openid"] == [shop.openid]
    assert list(client.user.iter_followers()) == [shop.openid]


def test_qrcode(client: Any) -> None:
    made = client.qrcode.create(
        {
            "expire_seconds": 1800,
            "action_name": "QR_SCENE",
            "action_info": {"scene": {"scene_id": 123}},
        }
    )
    assert made["expire_seconds"] == 1800
    picture = client.qrcode.show(made)
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


def test_menu(client: Any) -> None:
    menu = {"button": [{"type": "click", "name": "会员卡", "key": "CARD"}]}
    client.menu.create(menu)
    assert client.menu.get()["menu"]["button"][0]["name"] == "会员卡"
    client.menu.delete()
    # wechatpy answers None where there is no menu.
    assert client.menu.get() is None


def test_addresses(client: Any) -> None:
    assert client.misc.get_wechat_ips() == ["127.0.0.1"]
