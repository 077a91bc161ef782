"""Control API: official accounts, their menus and codes."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from wechat_sandbox import accounts, qrcodes
from wechat_sandbox.accounts import DEFAULT_UNIONID_GROUP
from wechat_sandbox.api.menus import stored_menu
from wechat_sandbox.control.access import Refused, get_account
from wechat_sandbox.pictures import qr_svg
from wechat_sandbox.sandbox import Sandbox

SLUG = r"^[a-z0-9][a-z0-9_-]{0,39}$"
Unset = msgspec.UnsetType
Mode = Literal["safe", "plain", "compatible"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class MakeAccount(msgspec.Struct, forbid_unknown_fields=True):
    slug: Annotated[str, msgspec.Meta(pattern=SLUG)]
    name: Name
    mode: Mode | Unset = msgspec.UNSET
    callback_url: str | Unset | None = msgspec.UNSET
    brand: str | Unset | None = msgspec.UNSET
    unionid_group: str | Unset = msgspec.UNSET
    oauth_domain: str | Unset | None = msgspec.UNSET


class ChangeAccount(msgspec.Struct, forbid_unknown_fields=True):
    name: Name | Unset = msgspec.UNSET
    mode: Mode | Unset = msgspec.UNSET
    callback_url: str | Unset | None = msgspec.UNSET
    brand: str | Unset | None = msgspec.UNSET
    unionid_group: str | Unset = msgspec.UNSET
    oauth_domain: str | Unset | None = msgspec.UNSET


def _changes(data: MakeAccount | ChangeAccount) -> dict[str, Any]:
    """The columns to set. Raises Refused 422 for a callback address that is none."""
    changes = {
        name: value
        for name, value in msgspec.structs.asdict(data).items()
        if name != "slug" and value is not msgspec.UNSET
    }
    address = changes.get("callback_url")
    if address:
        check_http_address(address, name="callback_url")
    elif "callback_url" in changes:
        changes["callback_url"] = None
    return changes


def check_http_address(address: str, *, name: str) -> None:
    """Raises Refused 422."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        raise Refused(422, "address.invalid", f"{name} must be an http or https address")


@get("/accounts")
async def list_accounts(sandbox: NamedDependency[Sandbox]) -> list[dict[str, Any]]:
    with sandbox.database.transaction() as tx:
        return [account.record() for account in accounts.list_accounts(tx)]


@get("/merchants")
async def list_merchants() -> list[dict[str, Any]]:
    """Nobody takes WeChat Pay in this sandbox, so the list of merchants is empty."""
    return []


@post("/accounts")
async def make_account(
    data: MakeAccount, sandbox: NamedDependency[Sandbox]
) -> Response[dict[str, Any]]:
    """Create the account; one that exists keeps its ids and keys and takes the changes."""
    changes = _changes(data)
    with sandbox.database.transaction() as tx:
        is_new = accounts.find_account(tx, data.slug) is None
        if is_new:
            group = changes.pop("unionid_group", DEFAULT_UNIONID_GROUP)
            accounts.create_account(tx, slug=data.slug, name=data.name, unionid_group=group)
        account = accounts.change_account(tx, data.slug, changes)
        record = account.record()
    return Response(record, status_code=HTTP_201_CREATED if is_new else HTTP_200_OK)


@patch("/accounts/{slug:str}")
async def change_account(
    slug: str, data: ChangeAccount, sandbox: NamedDependency[Sandbox]
) -> dict[str, Any]:
    changes = _changes(data)
    with sandbox.database.transaction() as tx:
        get_account(tx, slug)
        return accounts.change_account(tx, slug, changes).record()


@post("/accounts/{slug:str}/verify", status_code=HTTP_200_OK)
async def verify_callback(slug: str, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    """Do what WeChat does when the callback address is saved: the signed GET with an echo."""
    with sandbox.database.transaction() as tx:
        account = get_account(tx, slug)
    return await sandbox.courier.shake_hands(account)


@get("/accounts/{slug:str}/menu")
async def show_menu(slug: str, sandbox: NamedDependency[Sandbox]) -> dict[str, Any]:
    with sandbox.database.transaction() as tx:
        get_account(tx, slug)
        return {"menu": stored_menu(tx, slug)}


@get("/accounts/{slug:str}/qr.svg", media_type="image/svg+xml")
async def show_account_code(slug: str, sandbox: NamedDependency[Sandbox]) -> bytes:
    """The code that follows the account."""
    with sandbox.database.transaction() as tx:
        account = get_account(tx, slug)
    return qr_svg(account.qr_text)


@get("/accounts/{slug:str}/qrcodes")
async def list_scene_codes(slug: str, sandbox: NamedDependency[Sandbox]) -> list[dict[str, Any]]:
    """The account's live scene codes, newest first."""
    with sandbox.database.transaction() as tx:
        get_account(tx, slug)
        codes = qrcodes.list_codes(tx, account=slug)
    return [{"ticket": code.ticket, "scene": code.scene_value, "text": code.text} for code in codes]


ROUTES = (
    list_accounts,
    list_merchants,
    make_account,
    change_account,
    verify_callback,
    show_menu,
    show_account_code,
    list_scene_codes,
)
