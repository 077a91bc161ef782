"""Page authorisation in a browser: the way round, and every way in which it must not work."""

import asyncio
import html
import re
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from o2o.wechat.codec.signature import jsapi_signature
from tests.integration.wechat.sandboxed.conftest import Stage

JSON = {"accept": "application/json"}
HTML = {"accept": "text/html"}


class Phone:
    """A browser inside WeChat, in somebody's hand; it follows redirects only when told."""

    def __init__(self, stage: Stage, client: httpx.AsyncClient) -> None:
        self.stage = stage
        self.client = client

    async def start(self, **query: str) -> httpx.Response:
        url = f"{self.stage.public_url}/wechat/{self.stage.account.slug}/oauth"
        return await self.client.get(url, params=query, headers=JSON)

    async def go(self, location: str) -> httpx.Response:
        return await self.client.get(location, headers=JSON)

    async def to_return_address(self, **query: str) -> str:
        """Walk up to the address that carries the code, without opening it."""
        started = await self.start(**query)
        assert started.status_code == 302
        consented = await self.go(started.headers["location"])
        assert consented.status_code == 302
        location: str = consented.headers["location"]
        return location


@pytest.fixture
async def phone(stage: Stage) -> AsyncGenerator[Phone, None]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        person, sandbox = stage.person["id"], stage.control.base_url
        await client.get(
            f"{sandbox}/_sandbox/people/{person}/open", params={"url": stage.public_url}
        )
        yield Phone(stage, client)


async def sessions_count(stage: Stage) -> int:
    return len(await stage.rows("SELECT 1 FROM web_sessions"))


async def refused(stage: Stage, response: httpx.Response, *, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "o2o_diner" not in response.headers.get("set-cookie", "")
    assert await sessions_count(stage) == 0
    assert await stage.rows("SELECT 1 FROM fans") == []


async def test_the_way_round_ends_with_a_session_and_a_clean_address(
    stage: Stage, phone: Phone
) -> None:
    page = f"/h5/{stage.account.slug}/wallet?tab=2"
    started = await phone.start(next=page)
    authorize = urlsplit(started.headers["location"])
    query = parse_qs(authorize.query)
    assert authorize.path == "/connect/oauth2/authorize"
    assert authorize.fragment == "wechat_redirect"
    assert list(query) == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert len(query["state"][0]) == 32

    location = await phone.to_return_address(next=page)
    arrived = await phone.go(location)
    assert (arrived.status_code, arrived.headers["location"]) == (302, page)
    assert arrived.headers["cache-control"] == "no-store"
    assert arrived.headers["referrer-policy"] == "no-referrer"
    cookie = arrived.headers["set-cookie"].lower()
    assert "o2o_diner=" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert await stage.rows("SELECT openid, is_following, unionid FROM fans") == [
        (stage.openid, False, None)
    ]
    assert await stage.rows("SELECT audience, is_snapshot FROM web_sessions") == [("diner", False)]


async def test_asked_for_the_profile_it_is_kept(stage: Stage, phone: Phone) -> None:
    started = await phone.start(scope="userinfo")
    allowed = await phone.client.post(started.headers["location"], data={"decision": "allow"})
    await phone.go(allowed.headers["location"])
    [(nickname, avatar, unionid)] = await stage.rows(
        "SELECT nickname, avatar_url, unionid FROM fans"
    )
    assert nickname == "林晓月"
    assert avatar.startswith("http")
    assert unionid == stage.person["unionid"]


async def test_a_person_who_declines_is_offered_to_try_again(stage: Stage, phone: Phone) -> None:
    started = await phone.start(scope="userinfo")
    denied = await phone.client.post(started.headers["location"], data={"decision": "deny"})
    back = await phone.go(denied.headers["location"])
    await refused(stage, back, status=403, code="oauth.declined")
    assert back.json()["detail"]["retry_url"].startswith(f"/wechat/{stage.account.slug}/oauth?")


def retry_link(page: httpx.Response) -> str:
    """The address behind the one button of an error page."""
    [(link, words)] = re.findall(r'<a class="button" href="([^"]*)">([^<]*)</a>', page.text)
    assert words == "重新授权"
    return html.unescape(link)


async def test_the_page_for_who_declined_leads_round_again(stage: Stage, phone: Phone) -> None:
    wanted = f"/h5/{stage.account.slug}/wallet?tab=2"
    started = await phone.start(scope="userinfo", next=wanted)
    denied = await phone.client.post(started.headers["location"], data={"decision": "deny"})
    page = await phone.client.get(denied.headers["location"], headers=HTML)
    assert page.status_code == 403
    assert 'data-code="oauth.declined"' in page.text

    again = await phone.go(f"{stage.public_url}{retry_link(page)}")
    assert parse_qs(urlsplit(again.headers["location"]).query)["scope"] == ["snsapi_userinfo"]
    allowed = await phone.client.post(again.headers["location"], data={"decision": "allow"})
    arrived = await phone.go(allowed.headers["location"])
    assert (arrived.status_code, arrived.headers["location"]) == (302, wanted)
    assert await sessions_count(stage) == 1


async def test_the_page_for_a_used_state_starts_anew_at_the_card(
    stage: Stage, phone: Phone
) -> None:
    location = await phone.to_return_address()
    await set_states(stage, "expires_at = now() - interval '1 s'")
    page = await phone.client.get(location, headers=HTML)
    assert page.status_code == 403
    assert 'data-code="oauth.state_invalid"' in page.text

    link = retry_link(page)
    assert link == f"/wechat/{stage.account.slug}/oauth"
    consented = await phone.go((await phone.go(f"{stage.public_url}{link}")).headers["location"])
    arrived = await phone.go(consented.headers["location"])
    assert arrived.headers["location"] == f"/h5/{stage.account.slug}/card"


async def test_the_page_after_two_refused_codes_starts_anew(stage: Stage, phone: Phone) -> None:
    await stage.fail("/sns/oauth2/access_token", errcode=40029)
    again = await phone.go(await phone.to_return_address())
    consented = await phone.go(again.headers["location"])
    page = await phone.client.get(consented.headers["location"], headers=HTML)
    assert page.status_code == 403
    assert 'data-code="oauth.failed"' in page.text
    assert retry_link(page) == f"/wechat/{stage.account.slug}/oauth"


@pytest.mark.parametrize("state", ["", "0" * 32, "x"])
async def test_a_state_that_is_missing_or_made_up(stage: Stage, phone: Phone, state: str) -> None:
    location = await phone.to_return_address()
    code = parse_qs(urlsplit(location).query)["code"][0]
    base = location.partition("?")[0]
    back = await phone.go(f"{base}?code={code}&state={state}")
    await refused(stage, back, status=403, code="oauth.state_invalid")


async def test_a_state_of_another_browser(stage: Stage, phone: Phone) -> None:
    location = await phone.to_return_address()
    async with httpx.AsyncClient(trust_env=False) as thief:
        back = await thief.get(location, headers=JSON)
        await refused(stage, back, status=403, code="oauth.state_invalid")
        thief.cookies.set("o2o_pre", "A" * 43)
        other = await thief.get(location, headers=JSON)
        await refused(stage, other, status=403, code="oauth.state_invalid")


async def test_a_state_after_five_minutes(stage: Stage, phone: Phone) -> None:
    location = await phone.to_return_address()
    await set_states(stage, "expires_at = now() - interval '1 s'")
    back = await phone.go(location)
    await refused(stage, back, status=403, code="oauth.state_invalid")


async def set_states(stage: Stage, change: str) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    from o2o.infra.database import transaction  # noqa: PLC0415

    async with transaction(stage.sessions) as tx:
        await tx.execute(text(f"UPDATE oauth_states SET {change}"))


async def test_a_return_address_loaded_twice_at_once_gives_one_person(
    stage: Stage, phone: Phone
) -> None:
    location = await phone.to_return_address()
    answers = await asyncio.gather(phone.go(location), phone.go(location))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await stage.rows("SELECT 1 FROM fans")) == 1
    assert await stage.calls("/sns/oauth2/access_token") == 1


async def test_a_state_used_longer_ago_is_refused(stage: Stage, phone: Phone) -> None:
    location = await phone.to_return_address()
    assert (await phone.go(location)).status_code == 302
    await set_states(stage, "used_at = now() - interval '11 s'")
    back = await phone.go(location)
    assert (back.status_code, back.json()["code"]) == (403, "oauth.state_invalid")
    assert await sessions_count(stage) == 1


@pytest.mark.parametrize("errcode", [40029, 40163, 42003])
async def test_a_code_wechat_does_not_take_is_asked_for_once_more_and_no_more(
    stage: Stage, phone: Phone, errcode: int
) -> None:
    await stage.fail("/sns/oauth2/access_token", errcode=errcode)
    again = await phone.go(await phone.to_return_address())
    assert again.status_code == 302
    assert urlsplit(again.headers["location"]).path == "/connect/oauth2/authorize"
    consented = await phone.go(again.headers["location"])
    back = await phone.go(consented.headers["location"])
    await refused(stage, back, status=403, code="oauth.failed")


async def test_the_second_round_may_succeed(stage: Stage, phone: Phone) -> None:
    await stage.fail("/sns/oauth2/access_token", errcode=40029, times=1)
    again = await phone.go(await phone.to_return_address())
    consented = await phone.go(again.headers["location"])
    arrived = await phone.go(consented.headers["location"])
    assert arrived.headers["location"] == f"/h5/{stage.account.slug}/card"
    assert await sessions_count(stage) == 1


async def test_wechat_away_is_a_temporary_error(stage: Stage, phone: Phone) -> None:
    location = await phone.to_return_address()
    await stage.fail("/sns/*", status=502)
    back = await phone.go(location)
    await refused(stage, back, status=503, code="wechat.away")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/h5",
        "/\\evil.example",
        "javascript:alert(1)",
        "/h5/{slug}/..//evil",
        "/h5/{slug}/%2e%2e/console",
        "/h5/{slug}/a\r\nSet-Cookie: x=1",
        "/h5/{slug}%2f%2fevil",
        "/h5/other/card",
        "/h5/{slug}evil/card",
        "/console",
        "h5/{slug}/card",
        "/h5/{slug}/" + "a" * 1100,
        "\t/h5/{slug}/card",
        "/h5/{slug}/%0d%0aX",
        "/h5/{slug}/%255c",
    ],
)
async def test_a_next_that_is_no_page_of_this_account(
    stage: Stage, phone: Phone, target: str
) -> None:
    back = await phone.start(next=target.replace("{slug}", stage.account.slug))
    await refused(stage, back, status=400, code="redirect.not_allowed")
    assert await stage.rows("SELECT 1 FROM oauth_states") == []


async def test_unknown_scope_and_account(stage: Stage, phone: Phone) -> None:
    back = await phone.start(scope="admin")
    await refused(stage, back, status=400, code="oauth.scope_invalid")
    back = await phone.go(f"{stage.public_url}/wechat/nobody/oauth")
    await refused(stage, back, status=404, code="wechat.account_not_found")


async def test_a_snapshot_visitor_is_marked(stage: Stage, phone: Phone) -> None:
    await stage.control.patch(f"/_sandbox/people/{stage.person['id']}", json={"snapshot": True})
    assert (await phone.go(await phone.to_return_address())).status_code == 302
    assert await stage.rows("SELECT is_snapshot FROM web_sessions") == [(True,)]
    [(openid,)] = await stage.rows("SELECT openid FROM fans")
    assert openid != stage.openid


async def sign(stage: Stage, phone: Phone, url: str) -> httpx.Response:
    return await phone.client.get(
        f"{stage.public_url}/wechat/{stage.account.slug}/jssdk", params={"url": url}, headers=JSON
    )


async def test_a_page_of_ours_is_signed_as_wechat_checks_it(stage: Stage, phone: Phone) -> None:
    url = f"{stage.public_url}/h5/{stage.account.slug}/code?a=1"
    config: dict[str, Any] = (await sign(stage, phone, f"{url}#top")).json()
    ticket = await stage.services.api.jsapi_ticket(stage.account)
    expected = jsapi_signature(ticket, config["nonceStr"], config["timestamp"], url=url)
    assert config["signature"] == expected
    assert config["appId"] == stage.account.appid
    verdict = await stage.call("POST", "/_sandbox/jssdk/verify", **{**config, "url": url})
    assert verdict["ok"] is True


@pytest.mark.parametrize(
    "url", ["https://evil.example/h5/x", "{public}/console", "{public}.evil/h5/{slug}/card", ""]
)
async def test_other_pages_are_not_signed(stage: Stage, phone: Phone, url: str) -> None:
    filled = url.replace("{public}", stage.public_url).replace("{slug}", stage.account.slug)
    answer = await sign(stage, phone, filled)
    assert (answer.status_code, answer.json()["code"]) == (400, "wechat.page_not_signable")
    assert await stage.calls("/cgi-bin/ticket/getticket") == 0
