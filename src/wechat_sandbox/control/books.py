"""Control API: the sandbox's own books, the record of calls, and the live stream of changes."""

from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import Parameter
from litestar.response import Stream

from wechat_sandbox import calls, deliveries, oauth, outbox, quotas
from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction
from wechat_sandbox.sandbox import Sandbox

CALLS_PAGE_MAX = 1000


@get("/books")
async def show_books(sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """Everything accepted and sent, from the sandbox's side: what a product is checked against."""
    with sandbox.database.transaction() as tx:
        return {
            "tokens": _tokens(tx),
            "quotas": quotas.list_quotas(tx),
            "messages": [_message(sent) for sent in outbox.list_sent(tx)],
            "callbacks": deliveries.list_deliveries(tx),
            "oauth_codes": oauth.list_codes(tx),
        }


def _tokens(tx: Transaction) -> list[dict[str, Any]]:
    rows = tx.rows("SELECT * FROM tokens ORDER BY issued_at, rowid")
    return [
        {
            "account": row["account"],
            "space": row["space"],
            "token": calls.masked("access_token", row["token"]),
            "issued_at": iso(row["issued_at"]),
            "expires_at": iso(row["expires_at"]),
            "is_live": row["expires_at"] > tx.now
            and (row["dead_at"] is None or row["dead_at"] > tx.now),
        }
        for row in rows
    ]


def _message(sent: dict[str, Any]) -> dict[str, Any]:
    """`kind` repeats `api`: which of WeChat's two doors the message came through."""
    body = sent["body"]
    return {
        "kind": sent["api"],
        "account": sent["account"],
        "person": sent["person"],
        "openid": sent["openid"],
        "client_msg_id": sent["client_msg_id"],
        "msgid": sent["msgid"],
        "template_id": body.get("template_id"),
        "url": body.get("url"),
        "data": body.get("data") if sent["api"] == "template" else _content(body),
        "at": sent["at"],
    }


def _content(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"touser", "client_msg_id"}}


@get("/calls")
async def show_calls(
    *,
    sandbox: NamedDependency[Sandbox],
    after: Annotated[int, Parameter(ge=0)] = 0,
    limit: Annotated[int, Parameter(ge=1, le=CALLS_PAGE_MAX)] = 200,
    account: str | None = None,
) -> dict[str, Any]:
    """The newest exchanges after `after`, oldest first, secrets masked."""
    with sandbox.database.transaction() as tx:
        return {"calls": calls.list_calls(tx, after=after, limit=limit, account=account)}


@get("/stream")
async def stream_changes(sandbox: NamedDependency[Sandbox]) -> Stream:
    """Server-sent events: `{"kind": "chat" | "call" | "people" | "accounts" | "menu" | …}`."""
    return Stream(
        sandbox.hub.lines(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


ROUTES = (show_books, show_calls, stream_changes)
