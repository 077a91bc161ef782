r"""The account's menu: `/cgi-bin/menu/create`, `get`, `delete`.

Facts: at most 3 buttons with 5 below each; names of 16 bytes above and 60 below; a body with
`\uXXXX` escapes is refused, so that names must be sent as they are.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wechat_sandbox.api.errors import WeChatError
from wechat_sandbox.api.registry import Answer, ApiCall, endpoint
from wechat_sandbox.database import Transaction

KEY_TYPES = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
MEDIA_TYPES = frozenset({"media_id", "article_id", "article_view_limited"})
KEY_BYTES_MAX = 128
URL_BYTES_MAX = 1024
ESCAPED_CHARACTER = re.compile(rb"\\u[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class _Level:
    """Limits of one level, and the code for each way to break them."""

    count_max: int
    name_bytes_max: int
    count_code: int
    type_code: int
    name_code: int
    key_code: int
    url_code: int


_TOP = _Level(3, 16, 40016, 40017, 40018, 40019, 40020)
_BELOW = _Level(5, 60, 40023, 40024, 40025, 40026, 40027)


@endpoint("POST", "/cgi-bin/menu/create", daily_limit=1000)
def create_menu(call: ApiCall) -> Answer:
    if ESCAPED_CHARACTER.search(call.raw):
        raise WeChatError(40033)
    buttons = [_button(button, _TOP) for button in _counted(call.body.get("button"), _TOP)]
    call.tx.run(
        "UPDATE accounts SET menu = :menu WHERE slug = :slug",
        menu=json.dumps({"button": buttons}, ensure_ascii=False),
        slug=call.account.slug,
    )
    call.tx.notify("menu", account=call.account.slug)
    return {"errcode": 0, "errmsg": "ok"}


def _counted(buttons: Any, level: _Level) -> Sequence[Any]:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= level.count_max:
        raise WeChatError(level.count_code)
    return buttons


def _button(button: Any, level: _Level) -> dict[str, Any]:
    if not isinstance(button, Mapping):
        raise WeChatError(47001)
    name = button.get("name")
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= level.name_bytes_max:
        raise WeChatError(level.name_code)
    below = button.get("sub_button")
    if below:
        if level is _BELOW:
            raise WeChatError(40022)
        return {
            "name": name,
            "sub_button": [_button(child, _BELOW) for child in _counted(below, _BELOW)],
        }
    return {"type": button.get("type"), "name": name, **_target(button, level), "sub_button": []}


def _target(button: Mapping[str, Any], level: _Level) -> dict[str, str]:
    """What a button leads to. Raises the level's code for a bad type, key or address."""
    kind = button.get("type")
    if kind in KEY_TYPES:
        return {"key": _bounded(button.get("key"), KEY_BYTES_MAX, level.key_code)}
    if kind == "view":
        url = _bounded(button.get("url"), URL_BYTES_MAX, level.url_code)
        if not url.startswith(("http://", "https://")):
            raise WeChatError(40055 if level is _TOP else 40054)
        return {"url": url}
    if kind == "miniprogram":
        return {
            "url": _bounded(button.get("url"), URL_BYTES_MAX, level.url_code),
            "appid": _bounded(button.get("appid"), KEY_BYTES_MAX, 40013),
            "pagepath": _bounded(button.get("pagepath"), URL_BYTES_MAX, level.url_code),
        }
    if kind in MEDIA_TYPES:
        name = "media_id" if kind == "media_id" else "article_id"
        return {name: _bounded(button.get(name), KEY_BYTES_MAX, level.key_code)}
    raise WeChatError(level.type_code)


def _bounded(value: Any, bytes_max: int, code: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= bytes_max:
        raise WeChatError(code)
    return value


def stored_menu(tx: Transaction, slug: str) -> dict[str, Any] | None:
    """The account's menu as it was created; None where there is none."""
    row = tx.row("SELECT menu FROM accounts WHERE slug = :slug", slug=slug)
    if row is None or row["menu"] is None:
        return None
    menu: dict[str, Any] = json.loads(row["menu"])
    return menu


@endpoint("GET", "/cgi-bin/menu/get", daily_limit=10_000)
def get_menu(call: ApiCall) -> Answer:
    menu = stored_menu(call.tx, call.account.slug)
    if menu is None:
        raise WeChatError(46003)
    return {"menu": menu}


@endpoint("GET", "/cgi-bin/menu/delete", daily_limit=1000)
def delete_menu(call: ApiCall) -> Answer:
    call.tx.run("UPDATE accounts SET menu = NULL WHERE slug = :slug", slug=call.account.slug)
    call.tx.notify("menu", account=call.account.slug)
    return {"errcode": 0, "errmsg": "ok"}
