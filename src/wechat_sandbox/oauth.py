"""Codes and tokens of page authorization: who lets which account know what, and until when."""

import sqlite3
from dataclasses import dataclass

from wechat_sandbox import ids
from wechat_sandbox.accounts import Account
from wechat_sandbox.clock import iso
from wechat_sandbox.database import Transaction
from wechat_sandbox.people import Person, openid_of

CODE_SECONDS = 300
ACCESS_SECONDS = 7200
REFRESH_SECONDS = 30 * 86_400
BASE = "snsapi_base"
USERINFO = "snsapi_userinfo"
SCOPES = frozenset({BASE, USERINFO})


@dataclass(frozen=True, slots=True)
class Permission:
    """What a code or token lets the account know; a snapshot names a virtual stranger."""

    account: str
    person: str
    openid: str
    scope: str
    is_snapshot: bool


def _permission(row: sqlite3.Row) -> Permission:
    return Permission(
        row["account"], row["person"], row["openid"], row["scope"], bool(row["is_snapshot"])
    )


def issue_code(tx: Transaction, account: Account, person: Person, *, scope: str) -> str:
    """A code for one use within five minutes."""
    code = ids.new_oauth_code()
    real = openid_of(tx, account=account.slug, person=person.id)
    tx.run(
        "INSERT INTO oauth_codes (code, account, person, openid, scope, is_snapshot, issued_at,"
        " expires_at) VALUES (:code, :account, :person, :openid, :scope, :snapshot, :now, :until)",
        code=code,
        account=account.slug,
        person=person.id,
        openid=ids.new_openid(account.appid) if person.is_snapshot else real,
        scope=scope,
        snapshot=int(person.is_snapshot),
        now=tx.now,
        until=tx.now + CODE_SECONDS,
    )
    return code


def find_code(tx: Transaction, code: str) -> sqlite3.Row | None:
    return tx.row("SELECT * FROM oauth_codes WHERE code = :code", code=code)


def use_code(tx: Transaction, code: sqlite3.Row) -> Permission:
    """Spend a code that the caller found unused and in time."""
    tx.run(
        "UPDATE oauth_codes SET used_at = :now WHERE code = :code", now=tx.now, code=code["code"]
    )
    return _permission(code)


def issue_token(tx: Transaction, permission: Permission, *, kind: str) -> str:
    """A new access or refresh token for what was permitted."""
    token = ids.new_access_token()
    seconds = ACCESS_SECONDS if kind == "access" else REFRESH_SECONDS
    tx.run(
        "INSERT INTO oauth_tokens (token, kind, account, person, openid, scope, is_snapshot,"
        " expires_at)"
        " VALUES (:token, :kind, :account, :person, :openid, :scope, :snapshot, :until)",
        token=token,
        kind=kind,
        account=permission.account,
        person=permission.person,
        openid=permission.openid,
        scope=permission.scope,
        snapshot=int(permission.is_snapshot),
        until=tx.now + seconds,
    )
    return token


def find_token(tx: Transaction, token: str, *, kind: str) -> tuple[Permission, float] | None:
    """The permission behind a token, and when it expires."""
    row = tx.row(
        "SELECT * FROM oauth_tokens WHERE token = :token AND kind = :kind", token=token, kind=kind
    )
    return None if row is None else (_permission(row), row["expires_at"])


def list_codes(tx: Transaction) -> list[dict[str, object]]:
    rows = tx.rows("SELECT * FROM oauth_codes ORDER BY issued_at, rowid")
    return [
        {
            "code": row["code"][:6] + "…",
            "account": row["account"],
            "person": row["person"],
            "scope": row["scope"],
            "snapshot": bool(row["is_snapshot"]),
            "issued_at": iso(row["issued_at"]),
            "used_at": None if row["used_at"] is None else iso(row["used_at"]),
        }
        for row in rows
    ]
