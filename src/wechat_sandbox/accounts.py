"""Official accounts of the sandbox: created here with ids, secrets and keys of WeChat's shapes."""

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from wechat_sandbox import ids
from wechat_sandbox.database import Transaction

DEFAULT_UNIONID_GROUP = "default"


@dataclass(frozen=True, slots=True)
class Account:
    """One official account; `unionid_group` is the open platform it is bound to, or empty."""

    slug: str
    appid: str
    original_id: str
    secret: str
    token: str
    encoding_aes_key: str
    mode: str
    callback_url: str | None
    name: str
    brand: str | None
    unionid_group: str
    oauth_domain: str | None
    qr_token: str

    def record(self) -> dict[str, Any]:
        """What the control API shows: everything, since whoever steers the sandbox owns it."""
        facts = asdict(self)
        facts["qr_text"] = self.qr_text
        del facts["qr_token"]
        return facts

    @property
    def qr_text(self) -> str:
        """The text in the account's own QR code; scanning it follows the account."""
        return f"http://weixin.qq.com/r/{self.qr_token}"


_SELECT = (
    "SELECT slug, appid, original_id, secret, token, encoding_aes_key, mode, callback_url, name,"
    " brand, unionid_group, oauth_domain, qr_token FROM accounts"
)


def _account(row: sqlite3.Row | None) -> Account | None:
    return None if row is None else Account(**dict(row))


def list_accounts(tx: Transaction) -> list[Account]:
    rows = tx.rows(_SELECT + " ORDER BY created_at, slug")
    return [Account(**dict(row)) for row in rows]


def find_account(tx: Transaction, slug: str) -> Account | None:
    return _account(tx.row(_SELECT + " WHERE slug = :slug", slug=slug))


def find_account_by_appid(tx: Transaction, appid: str) -> Account | None:
    return _account(tx.row(_SELECT + " WHERE appid = :appid", appid=appid))


def find_account_by_qr(tx: Transaction, qr_token: str) -> Account | None:
    return _account(tx.row(_SELECT + " WHERE qr_token = :qr", qr=qr_token))


def create_account(tx: Transaction, *, slug: str, name: str, unionid_group: str) -> Account:
    """A new account in safe mode with no callback, and an openid in it for everyone there is."""
    appid = ids.new_appid()
    tx.run(
        "INSERT INTO accounts (slug, appid, original_id, secret, token, encoding_aes_key, mode,"
        " name, unionid_group, qr_token, created_at) VALUES (:slug, :appid, :original_id, :secret,"
        " :token, :encoding_aes_key, 'safe', :name, :unionid_group, :qr_token, :now)",
        slug=slug,
        appid=appid,
        original_id=ids.new_original_id(),
        secret=ids.new_secret(),
        token=ids.new_callback_token(),
        encoding_aes_key=ids.new_encoding_aes_key(),
        name=name,
        unionid_group=unionid_group,
        qr_token=f"{slug}-{ids.new_callback_token()}",
        now=tx.now,
    )
    for person in tx.rows("SELECT id FROM people ORDER BY position"):
        introduce(tx, account=slug, appid=appid, person=person["id"], group=unionid_group)
    tx.notify("accounts", account=slug)
    return get_account(tx, slug)


def introduce(tx: Transaction, *, account: str, appid: str, person: str, group: str) -> None:
    """Give a person an openid in this account, and a unionid in its open-platform group."""
    tx.run(
        "INSERT INTO openids (openid, account, person) VALUES (:openid, :account, :person)"
        " ON CONFLICT (account, person) DO NOTHING",
        openid=ids.new_openid(appid),
        account=account,
        person=person,
    )
    if group:
        tx.run(
            "INSERT INTO unionids (unionid, unionid_group, person) VALUES (:unionid, :grp, :person)"
            " ON CONFLICT (unionid_group, person) DO NOTHING",
            unionid=ids.new_unionid(),
            grp=group,
            person=person,
        )


def change_account(tx: Transaction, slug: str, changes: dict[str, Any]) -> Account:
    """Set the named columns; the caller has checked names and values."""
    for column, value in changes.items():
        assert column in {"name", "mode", "callback_url", "brand", "unionid_group", "oauth_domain"}
        tx.run(f"UPDATE accounts SET {column} = :value WHERE slug = :slug", value=value, slug=slug)  # noqa: S608 - asserted above
    account = get_account(tx, slug)
    if changes.get("unionid_group"):
        for person in tx.rows("SELECT id FROM people ORDER BY position"):
            introduce(
                tx,
                account=slug,
                appid=account.appid,
                person=person["id"],
                group=account.unionid_group,
            )
    tx.notify("accounts", account=slug)
    return account


def get_account(tx: Transaction, slug: str) -> Account:
    """Raises LookupError."""
    account = find_account(tx, slug)
    if account is None:
        raise LookupError(slug)
    return account
