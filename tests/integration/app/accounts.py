"""Official accounts as the sandbox issued them, registered with or without one wrong field."""

from typing import Any

import httpx

from tests.integration.app.programs import Installation

OTHER_AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


def issue(sandbox: httpx.Client, slug: str, *, callback: str, mode: str = "safe") -> dict[str, Any]:
    """Have the sandbox issue an account that calls back there."""
    answer = sandbox.post(
        "/_sandbox/accounts",
        json={"slug": slug, "name": "示例餐厅", "mode": mode, "callback_url": callback},
    )
    record: dict[str, Any] = answer.raise_for_status().json()
    return record


def toml_of(record: dict[str, Any], **wrong: str) -> str:
    """The account's settings as `--from` takes them."""
    fields = ("appid", "original_id", "name", "mode", "secret", "token", "encoding_aes_key")
    return "".join(f'{name} = "{value}"\n' for name, value in settings_of(record, fields, wrong))


def settings_of(
    record: dict[str, Any], fields: tuple[str, ...], wrong: dict[str, str]
) -> list[tuple[str, str]]:
    return [(name, wrong.get(name, record[name])) for name in fields]


def register(installation: Installation, record: dict[str, Any], **wrong: str) -> str:
    """Register it by the command line; return what the command printed."""
    return installation.done(
        *("account", "add", record["slug"], "--brand", "reed", "--brand-name", "苇塘小灶"),
        *("--from", "-"),
        stdin=toml_of(record, **wrong),
    )


def send_word(sandbox: httpx.Client, slug: str) -> dict[str, Any]:
    """Let somebody follow the account and send it a word."""
    person = sandbox.post("/_sandbox/people", json={"name": "测试者"}).json()["id"]
    sandbox.post(f"/_sandbox/people/{person}/follow", json={"account": slug}).raise_for_status()
    answer = sandbox.post(
        f"/_sandbox/people/{person}/messages",
        json={"account": slug, "type": "text", "content": "余额"},
    )
    outcome: dict[str, Any] = answer.raise_for_status().json()
    return outcome
