"""The record of what crossed the wire: API calls that came in, callbacks that went out."""

import json
from typing import Any

from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction

CALLS_KEPT = 20_000
TRIM_EVERY = 500
TEXT_MAX = 8_000
SECRET_NAMES = ("access_token", "secret", "refresh_token", "ticket")
VISIBLE_CHARACTERS = 6


def masked(name: str, value: str) -> str:
    """A secret is recognisable by its first characters and useless otherwise."""
    if name in SECRET_NAMES and value:
        return f"{value[:VISIBLE_CHARACTERS]}…"
    return value


def masked_fields(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: masked(name, value) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def add_call(
    tx: Transaction,
    *,
    kind: str,
    account: str | None,
    method: str,
    path: str,
    query: dict[str, Any],
    request: str,
    status: int,
    errcode: int | None,
    response: str,
    took_ms: int,
) -> int:
    """Record one exchange with its secrets masked; the oldest are forgotten beyond a bound."""
    seq = tx.insert(
        "INSERT INTO calls (at, kind, account, method, path, query, request, status, errcode,"
        " response, took_ms) VALUES (:now, :kind, :account, :method, :path, :query, :request,"
        " :status, :errcode, :response, :took_ms)",
        now=tx.now,
        kind=kind,
        account=account,
        method=method,
        path=path,
        query=json.dumps(masked_fields(query), ensure_ascii=False),
        request=request[:TEXT_MAX],
        status=status,
        errcode=errcode,
        response=response[:TEXT_MAX],
        took_ms=took_ms,
    )
    if seq % TRIM_EVERY == 0:
        tx.run("DELETE FROM calls WHERE seq <= :seq", seq=seq - CALLS_KEPT)
    tx.notify("call", seq=seq, account=account, path=path, status=status, errcode=errcode)
    return seq


def list_calls(
    tx: Transaction, *, after: int, limit: int, account: str | None = None
) -> list[dict[str, Any]]:
    """The newest `limit` exchanges after `after`, oldest first."""
    rows = tx.rows(
        "SELECT * FROM (SELECT * FROM calls WHERE seq > :after"
        " AND (:account IS NULL OR account = :account) ORDER BY seq DESC LIMIT :page)"
        " ORDER BY seq",
        after=after,
        account=account,
        page=limit,
    )
    return [dict(row) | {"at": iso(row["at"]), "query": json.loads(row["query"])} for row in rows]
