"""Access tokens: `/cgi-bin/token`, `/cgi-bin/stable_token` and the JS-SDK ticket.

Facts: the two token spaces are separate. A basic token dies five minutes after the next one is
issued; a stable one stays the same until its last five minutes; a forced refresh kills the old at
once and works 20 times a day, at least 30 seconds apart (sooner it changes nothing).
"""

import sqlite3

from wechat_sandbox import ids, quotas
from wechat_sandbox.accounts import Account, find_account, find_account_by_appid
from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.database import Transaction

TOKEN_SECONDS = 7200
OVERLAP_SECONDS = 300
FORCED_PER_DAY = 20
FORCED_SECONDS_APART = 30
TOKEN_CHARACTERS_MAX = 512
STABLE_PATH = "/cgi-bin/stable_token"
FORCED_API = f"{STABLE_PATH}?force_refresh"


def account_of_token(tx: Transaction, token: str | None) -> Account | None:
    """Whose token this is or was, for the record of calls and for fault rules."""
    row = tx.row("SELECT account FROM tokens WHERE token = :token", token=token or "")
    return None if row is None else find_account(tx, row["account"])


def authenticate(tx: Transaction, token: str | None) -> Account:
    """The account of a live token. Raises WeChatError 41001, 40014, 40001, 42001."""
    if not token:
        raise WeChatError(41001)
    if len(token) > TOKEN_CHARACTERS_MAX or not set(token) <= set(ids.OPENID_ALPHABET):
        raise WeChatError(40014)
    row = tx.row(
        "SELECT * FROM tokens WHERE token = :token AND space IN ('basic', 'stable')", token=token
    )
    if row is None:
        raise WeChatError(40001)
    if row["dead_at"] is not None and row["dead_at"] <= tx.now:
        raise WeChatError(40001)
    if row["expires_at"] <= tx.now:
        raise WeChatError(42001)
    account = find_account(tx, row["account"])
    assert account is not None, "accounts are never deleted"
    return account


def expire_tokens(tx: Transaction, *, account: str | None) -> int:
    """End every live token and ticket at once, as if its time had run out; returns how many."""
    changed = tx.run(
        "UPDATE tokens SET expires_at = :now WHERE expires_at > :now"
        " AND (:account IS NULL OR account = :account)",
        now=tx.now,
        account=account,
    )
    return changed.rowcount


def _issue(tx: Transaction, account: Account, *, space: str, token: str) -> None:
    tx.run(
        "INSERT INTO tokens (token, account, space, issued_at, expires_at)"
        " VALUES (:token, :account, :space, :now, :expires_at)",
        token=token,
        account=account.slug,
        space=space,
        now=tx.now,
        expires_at=tx.now + TOKEN_SECONDS,
    )


def _newest(tx: Transaction, account: Account, *, space: str) -> sqlite3.Row | None:
    """The newest token of a space that has not expired."""
    return tx.row(
        "SELECT * FROM tokens WHERE account = :account AND space = :space AND expires_at > :now"
        " AND (dead_at IS NULL OR dead_at > :now) ORDER BY issued_at DESC, rowid DESC LIMIT 1",
        account=account.slug,
        space=space,
        now=tx.now,
    )


def _supersede(tx: Transaction, account: Account, *, space: str, dead_at: float) -> None:
    tx.run(
        "UPDATE tokens SET dead_at = :dead_at WHERE account = :account AND space = :space"
        " AND (dead_at IS NULL OR dead_at > :dead_at)",
        account=account.slug,
        space=space,
        dead_at=dead_at,
    )


def _granted(token: str, seconds: float) -> Answer:
    return {"access_token": token, "expires_in": int(seconds)}


def check_credentials(
    tx: Transaction, *, grant_type: object, appid: object, secret: object
) -> Account:
    """The account of appid and secret. Raises WeChatError 40002, 41002, 40013, 41004, 40125."""
    if grant_type != "client_credential":
        raise WeChatError(40002)
    if not appid:
        raise WeChatError(41002)
    account = find_account_by_appid(tx, appid) if isinstance(appid, str) else None
    if account is None:
        raise WeChatError(40013)
    if not secret:
        raise WeChatError(41004)
    if secret != account.secret:
        raise WeChatError(40125)
    return account


def _count(tx: Transaction, account: Account, *, api: str, default: int) -> None:
    limit = quotas.limit_of(tx, account=account.slug, api=api, default=default)
    if quotas.used_today(tx, account=account.slug, api=api) >= limit:
        raise WeChatError(45009)
    quotas.count_call(tx, account=account.slug, api=api)


@endpoint("GET", "/cgi-bin/token", needs_token=False)
def issue_token(call: ApiCall) -> Answer:
    query = call.query
    account = check_credentials(
        call.tx,
        grant_type=query.get("grant_type"),
        appid=query.get("appid"),
        secret=query.get("secret"),
    )
    _count(call.tx, account, api="/cgi-bin/token", default=2000)
    _supersede(call.tx, account, space="basic", dead_at=call.tx.now + OVERLAP_SECONDS)
    token = ids.new_access_token()
    _issue(call.tx, account, space="basic", token=token)
    return _granted(token, TOKEN_SECONDS)


@endpoint("POST", STABLE_PATH, needs_token=False)
def issue_stable_token(call: ApiCall) -> Answer:
    body = call.body
    account = check_credentials(
        call.tx,
        grant_type=body.get("grant_type"),
        appid=body.get("appid"),
        secret=body.get("secret"),
    )
    _count(call.tx, account, api=STABLE_PATH, default=500_000)
    current = _newest(call.tx, account, space="stable")
    left = 0.0 if current is None else current["expires_at"] - call.tx.now
    if body.get("force_refresh") is True:
        if current is not None and call.tx.now - current["issued_at"] < FORCED_SECONDS_APART:
            return _granted(current["token"], left)
        _count(call.tx, account, api=FORCED_API, default=FORCED_PER_DAY)
        _supersede(call.tx, account, space="stable", dead_at=call.tx.now)
    elif current is not None and left > OVERLAP_SECONDS:
        return _granted(current["token"], left)
    token = ids.new_access_token()
    _issue(call.tx, account, space="stable", token=token)
    return _granted(token, TOKEN_SECONDS)


@endpoint("GET", "/cgi-bin/ticket/getticket", daily_limit=1_000_000)
def get_ticket(call: ApiCall) -> Answer:
    if call.query.get("type") != "jsapi":
        raise WeChatError(40097)
    current = _newest(call.tx, call.account, space="jsapi")
    if current is not None and current["expires_at"] - call.tx.now > OVERLAP_SECONDS:
        ticket, left = current["token"], current["expires_at"] - call.tx.now
    else:
        ticket, left = ids.new_jsapi_ticket(), float(TOKEN_SECONDS)
        _issue(call.tx, call.account, space="jsapi", token=ticket)
    return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": int(left)}


def live_jsapi_tickets(tx: Transaction, account: Account) -> list[str]:
    """Every ticket with which a page of this account may be signed now."""
    rows = tx.rows(
        "SELECT token FROM tokens"
        " WHERE account = :account AND space = 'jsapi' AND expires_at > :now",
        account=account.slug,
        now=tx.now,
    )
    return [row["token"] for row in rows]
