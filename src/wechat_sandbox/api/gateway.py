"""Answers every call to WeChat's API: faults, method, token, quota, body, endpoint, record.

WeChat answers HTTP 200 even for errors, as `application/json; encoding=utf-8`, and ends every error
message with a request id.
"""

import asyncio
import importlib
import json
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.types import Receive, Scope, Send

from wechat_sandbox import calls, faults, ids, quotas
from wechat_sandbox.accounts import Account, find_account_by_appid
from wechat_sandbox.api.errors import WORDING, WeChatError
from wechat_sandbox.api.registry import ENDPOINTS, Answer, ApiCall, Endpoint
from wechat_sandbox.api.tokens import account_of_token, authenticate
from wechat_sandbox.database import Transaction
from wechat_sandbox.faults import FaultRule
from wechat_sandbox.sandbox import Sandbox

CONTENT_TYPE = "application/json; encoding=utf-8"
BODY_BYTES_MAX = 2_000_000
UNKNOWN_PATH = 40066

for _module in (
    "users",
    "qrcodes",
    "menus",
    "templates",
    "template_send",
    "customs",
    "system",
    "sns",
):
    importlib.import_module(f"wechat_sandbox.api.{_module}")


class LostAnswer(Response[bytes]):
    """Begins an answer and never ends it, so that the server closes the connection."""

    def to_asgi_response(self, *_arguments: Any, **_options: Any) -> Any:
        async def send_nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
            headers = [(b"content-length", b"1")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": True})

        return send_nothing


@dataclass(frozen=True, slots=True)
class _Incoming:
    method: str
    path: str
    query: dict[str, str]
    raw: bytes

    def parsed(self) -> dict[str, Any]:
        """The JSON body. Raises WeChatError 44002, 47001."""
        if not self.raw.strip():
            raise WeChatError(44002)
        try:
            body = json.loads(self.raw.decode())
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise WeChatError(47001) from error
        if not isinstance(body, dict):
            raise WeChatError(47001)
        return body


async def answer(sandbox: Sandbox, request: Request[Any, Any, Any]) -> Response[bytes]:
    """One call from beginning to end, with the misbehaviour that was asked for."""
    started = time.monotonic()
    incoming = _Incoming(
        method=request.method,
        path=request.url.path,
        query={name: str(value) for name, value in request.query_params.items()},
        raw=await request.body(),
    )
    with sandbox.database.transaction() as tx:
        account = _account_of(tx, incoming)
        slug = None if account is None else account.slug
        fault = faults.take_fault(tx, path=incoming.path, account=slug)
    fault = fault or FaultRule(match="*")
    await asyncio.sleep(fault.delay_ms / 1000)
    goes_wrong = fault.drop or fault.errcode is not None or fault.status is not None
    with sandbox.database.transaction() as tx:
        body: Answer = {}
        if not goes_wrong or fault.applied:
            body = _run(sandbox, tx, incoming)
        if goes_wrong:
            body = _wrong_answer(fault, now=tx.now)
        status = fault.status if goes_wrong and fault.status else 200
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        _record(tx, incoming, slug, status=0 if fault.drop else status, body=body, started=started)
    if fault.drop:
        return LostAnswer(b"")
    if status != 200 and fault.errcode is None:
        return Response(
            b"<html><body><center><h1>Bad Gateway</h1></center></body></html>",
            status_code=status,
            media_type="text/html",
        )
    return Response(text.encode(), status_code=status, media_type=CONTENT_TYPE)


def _wrong_answer(fault: FaultRule, *, now: float) -> Answer:
    if fault.errcode is None:
        return {}
    wording = fault.errmsg or WORDING.get(fault.errcode, "system error")
    return {"errcode": fault.errcode, "errmsg": f"{wording} rid: {ids.new_rid(now)}"}


def _account_of(tx: Transaction, incoming: _Incoming) -> Account | None:
    """Best guess at whose call this is, before anything is checked."""
    if token := incoming.query.get("access_token"):
        return account_of_token(tx, token)
    appid: Any = incoming.query.get("appid")
    if appid is None and incoming.method == "POST":
        try:
            appid = incoming.parsed().get("appid")
        except WeChatError:
            return None
    return find_account_by_appid(tx, appid) if isinstance(appid, str) else None


def _run(sandbox: Sandbox, tx: Transaction, incoming: _Incoming) -> Answer:
    try:
        with tx.savepoint():
            return _call_endpoint(sandbox, tx, incoming)
    except WeChatError as refusal:
        return {
            "errcode": refusal.errcode,
            "errmsg": f"{refusal.errmsg} rid: {ids.new_rid(tx.now)}",
        }
    except Exception:  # noqa: BLE001 - WeChat answers -1 for whatever goes wrong inside; so do we
        traceback.print_exc(file=sys.stderr)
        return {"errcode": -1, "errmsg": f"{WORDING[-1]} rid: {ids.new_rid(tx.now)}"}


def _call_endpoint(sandbox: Sandbox, tx: Transaction, incoming: _Incoming) -> Answer:
    endpoint = ENDPOINTS.get(incoming.path)
    if endpoint is None:
        raise WeChatError(UNKNOWN_PATH)
    if incoming.method != endpoint.method:
        raise WeChatError(43001 if endpoint.method == "GET" else 43002)
    account = None
    if endpoint.needs_token:
        account = authenticate(tx, incoming.query.get("access_token"))
        _spend_quota(tx, account, endpoint)
    return endpoint.answer(
        ApiCall(
            sandbox=sandbox,
            tx=tx,
            query=incoming.query,
            body=incoming.parsed() if endpoint.method == "POST" else {},
            raw=incoming.raw,
            token_account=account,
        )
    )


def _spend_quota(tx: Transaction, account: Account, endpoint: Endpoint) -> None:
    if endpoint.daily_limit is None:
        return
    limit = quotas.limit_of(
        tx, account=account.slug, api=endpoint.path, default=endpoint.daily_limit
    )
    if quotas.used_today(tx, account=account.slug, api=endpoint.path) >= limit:
        raise WeChatError(45009)
    quotas.count_call(tx, account=account.slug, api=endpoint.path)


def _record(
    tx: Transaction,
    incoming: _Incoming,
    account: str | None,
    *,
    status: int,
    body: Answer,
    started: float,
) -> None:
    try:
        request = json.dumps(calls.masked_fields(incoming.parsed()), ensure_ascii=False)
    except WeChatError:
        request = incoming.raw.decode(errors="replace")
    errcode = body.get("errcode")
    calls.add_call(
        tx,
        kind="api",
        account=account,
        method=incoming.method,
        path=incoming.path,
        query=incoming.query,
        request=request,
        status=status,
        errcode=errcode if isinstance(errcode, int) else 0,
        response=json.dumps(calls.masked_fields(body), ensure_ascii=False),
        took_ms=int((time.monotonic() - started) * 1000),
    )
