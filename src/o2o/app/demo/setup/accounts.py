"""Set the demo's official accounts up at WeChat: the menu under the chat, and templates."""

import tomllib
from importlib.resources import files
from typing import Any

from o2o.app.runtime import open_runtime
from o2o.app.wiring import wire
from o2o.infra.settings import Settings

MENU_CREATE = "/cgi-bin/menu/create"


def menu_of(account_slug: str, *, public_url: str) -> dict[str, Any]:
    """Return the menu of an account with whole addresses."""
    text = files("o2o.app.demo.setup").joinpath("menu.toml").read_text(encoding="utf-8")
    return tomllib.loads(text.replace("{h5}", f"{public_url}/h5/{account_slug}"))


async def set_accounts_up(settings: Settings, slugs: list[str]) -> None:
    """Publish menus and find or add templates, over the same API as with a real account."""
    runtime = open_runtime(settings)
    wechat = wire(runtime).wechat
    await wechat.accounts.refresh()
    try:
        for slug in slugs:
            account = await wechat.accounts.get(slug)
            menu = menu_of(slug, public_url=runtime.settings.public_url)
            await wechat.api.post(account, MENU_CREATE, menu)
            await wechat.templates.ensure_templates(account)
    finally:
        await wechat.stop()
        await runtime.engine.dispose()
