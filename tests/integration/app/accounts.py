"""Official accounts as the sandbox issued them, registered with or without one wrong field."""

from typing import Any

import httpx

from o2o.app.install.accounts import add_account
from o2o.app.install.brands import NewBrand
from o2o.app.install.working import Speech, work
from o2o.app.runtime import open_runtime
from o2o.infra.database import Tx
from o2o.infra.settings import read_settings
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


def register(
    installation: Installation, records: list[tuple[dict[str, Any], dict[str, str]]]
) -> None:
    """Register accounts as `o2o account add` does, without a program for each."""
    runtime = open_runtime(read_settings(installation.environment()))
    speech = Speech()
    fields = ("appid", "original_id", "name", "mode", "secret", "token", "encoding_aes_key")
    brand = NewBrand(
        name="苇塘小灶", name_en=None, kind="restaurant", hue="#0a7d4f", card_prefix=None
    )

    async def act(tx: Tx) -> None:
        for record, wrong in records:
            await add_account(
                tx,
                runtime,
                slug=record["slug"],
                values=dict(settings_of(record, fields, wrong)),
                brand_slug="reed",
                new_brand=brand,
                speech=speech,
            )

    work(runtime, speech, act)


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
