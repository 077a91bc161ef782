"""Page authorization in the browser: `/connect/oauth2/authorize`, silent or with a question."""

import asyncio
import html
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK

from wechat_sandbox import calls, faults, oauth, people
from wechat_sandbox.accounts import Account, find_account_by_appid
from wechat_sandbox.control.people import PERSON_COOKIE
from wechat_sandbox.database import Transaction
from wechat_sandbox.people import Person
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.texts import text

PATH = "/connect/oauth2/authorize"
STATE_BYTES_MAX = 128


class BadRequest(Exception):
    """WeChat shows the person an error page; the arguments are its number and our text's key."""

    def __init__(self, number: int, key: str) -> None:
        super().__init__(number, key)
        self.number, self.key = number, key


@dataclass(frozen=True, slots=True)
class _Asked:
    account: Account
    redirect_uri: str
    scope: str
    state: str

    def back(self, **answer: str) -> str:
        """The address to return to: the page's own query stays, code and state come after it."""
        parts = urlsplit(self.redirect_uri)
        query = parse_qsl(parts.query, keep_blank_values=True)
        query += [*answer.items(), ("state", self.state)]
        return urlunsplit(parts._replace(query=urlencode(query)))


def _asked(tx: Transaction, query: dict[str, str]) -> _Asked:
    """Raises BadRequest."""
    account = find_account_by_appid(tx, query.get("appid", ""))
    if account is None:
        raise BadRequest(10013, "oauth_bad_appid")
    redirect_uri = query.get("redirect_uri", "")
    try:
        parts = urlsplit(redirect_uri)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        raise BadRequest(10003, "oauth_bad_redirect") from None
    if not is_address:
        raise BadRequest(10003, "oauth_bad_redirect")
    if account.oauth_domain and parts.hostname != account.oauth_domain.split(":")[0]:
        raise BadRequest(10003, "oauth_bad_domain")
    if query.get("response_type") != "code":
        raise BadRequest(10004, "oauth_bad_response_type")
    scope = query.get("scope", "")
    if scope not in oauth.SCOPES:
        raise BadRequest(10005, "oauth_bad_scope")
    state = query.get("state", "")
    if len(state.encode()) > STATE_BYTES_MAX:
        raise BadRequest(10004, "oauth_bad_response_type")
    return _Asked(account, redirect_uri, scope, state)


def _page(title: str, body: str, language: str) -> Response[str]:
    content = (
        f'<!doctype html><html lang="{language.replace("_", "-")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="/oauth.css"></head>'
        f"<body><main>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=MediaType.HTML, headers=headers)


def _query(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in request.query_params.items()}


def _holder(
    tx: Transaction, request: Request[Any, Any, Any], query: dict[str, str]
) -> Person | None:
    """Whose phone this is: the cookie's, or who was just chosen on the picker page."""
    chosen = query.get("sandbox_person") or request.cookies.get(PERSON_COOKIE, "")
    return people.find_person(tx, chosen)


@get(PATH)
async def authorize(
    request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox]
) -> Response[Any]:
    query = _query(request)
    with sandbox.database.transaction() as tx:
        fault = faults.take_fault(tx, path=PATH, account=None)
    if fault is not None:
        await asyncio.sleep(fault.delay_ms / 1000)
        if fault.status is not None:
            return Response("", status_code=fault.status, media_type=MediaType.HTML)
    with sandbox.database.transaction() as tx:
        try:
            asked = _asked(tx, query)
        except BadRequest as error:
            return _error_page(error)
        person = _holder(tx, request, query)
        if person is None:
            return _picker_page(tx, query)
        if asked.scope == oauth.USERINFO:
            return _question_page(asked, person, query)
        code = oauth.issue_code(tx, asked.account, person, scope=asked.scope)
        _record(tx, asked, query=query, method="GET")
    return Redirect(asked.back(code=code), status_code=302)


@post(PATH, status_code=HTTP_200_OK)
async def decide(
    request: Request[Any, Any, Any], sandbox: NamedDependency[Sandbox]
) -> Response[Any]:
    """The person's answer to the question: back with a code, or without one."""
    query = _query(request)
    form = await request.form()
    with sandbox.database.transaction() as tx:
        try:
            asked = _asked(tx, query)
        except BadRequest as error:
            return _error_page(error)
        person = _holder(tx, request, query)
        if person is None:
            return _picker_page(tx, query)
        _record(tx, asked, query=query, method="POST")
        if form.get("decision") != "allow":
            return Redirect(asked.back(), status_code=302)
        code = oauth.issue_code(tx, asked.account, person, scope=asked.scope)
    return Redirect(asked.back(code=code), status_code=302)


def _record(tx: Transaction, asked: _Asked, *, query: dict[str, str], method: str) -> None:
    calls.add_call(
        tx,
        kind="api",
        account=asked.account.slug,
        method=method,
        path=PATH,
        query=query,
        request="",
        status=302,
        errcode=None,
        response="",
        took_ms=0,
    )


def _error_page(error: BadRequest) -> Response[str]:
    said, number = text(error.key), f"{text('error_code')}: {error.number}"
    return _page(said, f"<h1>{html.escape(said)}</h1><p>{html.escape(number)}</p>", "zh_CN")


def _picker_page(tx: Transaction, query: dict[str, str]) -> Response[str]:
    rows = "".join(
        f'<li><a href="{PATH}?{html.escape(urlencode(query | {"sandbox_person": person.id}))}">'
        f'<img src="/avatars/{quote(person.id)}.svg" alt="" width="40" height="40">'
        f"{html.escape(person.name)}</a></li>"
        for person in people.list_people(tx)
    )
    title = text("oauth_pick")
    return _page(title, f"<h1>{html.escape(title)}</h1><ul>{rows}</ul>", "zh_CN")


def _question_page(asked: _Asked, person: Person, query: dict[str, str]) -> Response[str]:
    language = "en" if person.language == "en" else "zh_CN"

    def say(key: str) -> str:
        return html.escape(text(key, language))

    body = (
        f'<img src="/avatars/{quote(person.id)}.svg" alt="" width="64" height="64">'
        f"<h1>{html.escape(asked.account.name)}</h1><p>{say('oauth_ask')}</p>"
        f"<ul><li>{say('oauth_profile')}</li></ul>"
        f'<form method="post" action="{PATH}?{html.escape(urlencode(query))}">'
        f'<button name="decision" value="allow">{say("oauth_allow")}</button>'
        f'<button name="decision" value="deny" class="quiet">{say("oauth_deny")}</button></form>'
    )
    return _page(text("oauth_title", language), body, language)


ROUTES = (authorize, decide)
