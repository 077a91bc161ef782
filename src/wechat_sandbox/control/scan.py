"""Control API: WeChat's scanner, and QR pictures of any text."""

from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK

from wechat_sandbox import acts, fans, qrcodes
from wechat_sandbox.accounts import Account, find_account, find_account_by_qr
from wechat_sandbox.control.access import get_person
from wechat_sandbox.control.people import settle
from wechat_sandbox.pictures import qr_svg
from wechat_sandbox.qrcodes import QRCode
from wechat_sandbox.sandbox import Sandbox

ACCOUNT_PREFIX = "http://weixin.qq.com/r/"
QR_TEXT_MAX = 1200


class ScanText(msgspec.Struct, forbid_unknown_fields=True):
    person: str
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


def _read(sandbox: Sandbox, text: str) -> tuple[Account, QRCode | None] | None:
    """The account a code leads to, and its scene; None for a code that is no account's."""
    with sandbox.database.transaction() as tx:
        if text.startswith(ACCOUNT_PREFIX):
            account = find_account_by_qr(tx, text.removeprefix(ACCOUNT_PREFIX))
            return None if account is None else (account, None)
        if text.startswith(qrcodes.TEXT_PREFIX):
            code = qrcodes.find_code(tx, unquote(text.removeprefix(qrcodes.TEXT_PREFIX)))
            account = None if code is None else find_account(tx, code.account)
            return None if account is None else (account, code)
    return None


@post("/scan", status_code=HTTP_200_OK)
async def scan(data: ScanText, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """Do what WeChat's scanner does with this text in this person's hand."""
    with sandbox.database.transaction() as tx:
        person = get_person(tx, data.person)
    text = data.text.strip()
    found = _read(sandbox, text)
    if found is None:
        return _other(text)
    account, code = found
    with sandbox.database.transaction() as tx:
        if code is not None and code.is_expired(tx.now):
            return {"action": "expired", "account": account.slug, "text": text}
        was_following = fans.is_following(tx, account=account.slug, person=person.id)
        delivery = acts.follow(tx, account, person.id, code=code)
    outcome = await settle(sandbox, delivery)
    return {
        "action": "scan" if was_following else "follow",
        "account": account.slug,
        "scene": None if code is None else code.scene_value,
        **outcome,
    }


def _other(text: str) -> dict[str, Any]:
    """A web address is opened, anything else shown as text."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if is_address and not any(character.isspace() for character in text):
        return {"action": "open", "url": text}
    return {"action": "text", "text": text}


@get("/qr.svg", media_type="image/svg+xml")
async def show_qr(
    text: Annotated[str, Parameter(min_length=1, max_length=QR_TEXT_MAX)],
) -> bytes:
    return qr_svg(text)


ROUTES = (scan, show_qr)
