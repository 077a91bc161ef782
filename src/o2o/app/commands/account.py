"""`o2o account`: register official accounts, change them, publish menus, place proofs."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from o2o.app.demo.setup.accounts import MENU_CREATE, menu_of
from o2o.app.install.accounts import CREDENTIALS, FIELDS, add_account, set_account
from o2o.app.install.brands import DEFAULT_HUE, NewBrand
from o2o.app.install.entering import complete, from_environment, read_values
from o2o.app.install.working import Speech, guarded, open_for_command, work
from o2o.app.runtime import Runtime
from o2o.crm.statuses import BrandKind, CallbackMode
from o2o.infra.database import Tx
from o2o.infra.settings import read_settings
from o2o.stores.queries import list_accounts, list_brands
from o2o.web.copy import Words
from o2o.wechat.services import WeChatServices
from o2o.wechat.web.verification import BYTES_MAX, verification_file

FILE_HELP = "TOML with any of the fields, credentials included; - reads standard input."
MODES = click.Choice([mode.value for mode in CallbackMode])
WANTED = ("appid", "original_id", "name", "secret", "token")
# What people call the credentials on a command line.
ASKABLE = {name.replace("_", "-"): name for name in CREDENTIALS}


@click.group()
def account() -> None:
    """Register and change official accounts. Credentials are never options nor echoed."""


@account.command("add")
@click.argument("slug")
@click.option("--brand", help="Slug of the brand; with one brand it is that one.")
@click.option("--brand-name", help="Create the brand under this name if it is not there.")
@click.option("--brand-name-en", help="Its English name.")
@click.option(
    "--brand-kind", type=click.Choice([kind.value for kind in BrandKind]), default="restaurant"
)
@click.option("--brand-hue", default=DEFAULT_HUE, show_default=True, help="Its colour.")
@click.option("--card-prefix", help="First digits of its card numbers; drawn if not given.")
@click.option("--appid", help="As the console shows it.")
@click.option("--original-id", help="gh_… as the console shows it.")
@click.option("--name", help="The account's name, as fans see it.")
@click.option("--place-word", help="What it calls its places in chat.")
@click.option("--mode", type=MODES, help="How messages are encrypted; safe unless given.")
@click.option("--from", "file", metavar="FILE", help=FILE_HELP)
def add_command(
    slug: str,
    *,
    brand: str | None,
    brand_name: str | None,
    brand_name_en: str | None,
    brand_kind: str,
    brand_hue: str,
    card_prefix: str | None,
    file: str | None,
    **options: str | None,
) -> None:
    """Register an official account under SLUG, its name in addresses.

    Credentials come from --from, from WECHAT_APP_SECRET, WECHAT_TOKEN and WECHAT_ENCODING_AES_KEY,
    or are asked for.
    """
    speech = Speech()
    new_brand = NewBrand(
        name=brand_name,
        name_en=brand_name_en,
        kind=brand_kind,
        hue=brand_hue,
        card_prefix=card_prefix,
    )
    new_brand.check()
    given = {
        "mode": CallbackMode.SAFE.value,
        **from_environment(FIELDS),
        **read_values(file, allowed=FIELDS, speech=speech),
        **{name: value for name, value in options.items() if value is not None},
    }
    is_plain = given["mode"] == CallbackMode.PLAIN.value
    wanted = WANTED if is_plain else (*WANTED, "encoding_aes_key")
    values = complete(given, wanted=wanted, speech=speech)
    runtime = open_for_command()

    async def act(tx: Tx) -> str:
        details = await add_account(
            tx,
            runtime,
            slug=slug,
            values=values,
            brand_slug=brand,
            new_brand=new_brand,
            speech=speech,
        )
        return details.mode.value

    mode = work(runtime, speech, act)
    url = f"{runtime.settings.public_url}/wechat/{slug}/callback"
    click.echo(speech.said("account_added", slug=slug, url=url, mode=speech.said(f"mode_{mode}")))


@account.command("set")
@click.argument("slug")
@click.option("--appid")
@click.option("--original-id")
@click.option("--name")
@click.option("--place-word")
@click.option("--mode", type=MODES)
@click.option(
    "--ask",
    "asked",
    multiple=True,
    type=click.Choice(list(ASKABLE)),
    help="Enter this credential anew, from the environment or at the terminal.",
)
@click.option("--from", "file", metavar="FILE", help=FILE_HELP)
def set_command(
    slug: str, *, asked: tuple[str, ...], file: str | None, **options: str | None
) -> None:
    """Change what is known of the account SLUG; everything not named stays."""
    speech = Speech()
    fields = [ASKABLE[name] for name in asked]
    given = {
        **from_environment(fields),
        **read_values(file, allowed=FIELDS, speech=speech),
        **{name: value for name, value in options.items() if value is not None},
    }
    values = complete(given, wanted=fields, speech=speech)
    if not values:
        raise click.UsageError("name something to change; see --help")
    runtime = open_for_command()

    async def act(tx: Tx) -> None:
        await set_account(tx, runtime, slug=slug, values=values, speech=speech)

    work(runtime, speech, act)
    click.echo(speech.said("account_changed", slug=slug))


@account.command("list")
def list_command() -> None:
    """List the accounts: slug, brand, AppID, original id, mode, callback address."""
    runtime = open_for_command()

    async def act(tx: Tx) -> list[tuple[str, ...]]:
        brands = {brand.id: brand.slug for brand in await list_brands(tx)}
        return [
            (row.slug, brands[row.brand_id], row.appid, row.original_id, row.mode.value)
            for row in await list_accounts(tx)
        ]

    for row in work(runtime, Speech(), act):
        url = f"{runtime.settings.public_url}/wechat/{row[0]}/callback"
        click.echo("\t".join((*row, url)))


@account.command("verify-file")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify_file_command(file: Path) -> None:
    """Place the console's MP_verify_….txt where WeChat looks for it."""
    speech = Speech()
    settings = read_settings()
    content = file.read_bytes()
    try:
        target = verification_file(settings.data_dir, file.name)
    except ValueError:
        speech.refuse("file_not_wechats", file=file.name)
    if len(content) > BYTES_MAX or not content.strip().isalnum():
        speech.refuse("file_not_wechats", file=file.name)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.write_bytes(content)
    click.echo(speech.said("file_kept", url=f"{settings.public_url}/{file.name}"))


@account.command("menu")
@click.argument("slug")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
def menu_command(slug: str, file: Path | None) -> None:
    """Publish a menu: FILE in WeChat's form (JSON or TOML), or card, code and figures."""
    speech = Speech()
    given = None if file is None else _read_menu(file, speech)
    runtime = open_for_command()
    guarded(speech, _publish(runtime, slug, given))
    click.echo(speech.said("menu_published", slug=slug))


async def _publish(runtime: Runtime, slug: str, given: dict[str, Any] | None) -> None:
    services = WeChatServices(
        settings=runtime.settings,
        seal=runtime.seal,
        sessions=runtime.sessions,
        clock=runtime.clock,
        words=Words(),
    )
    try:
        await services.accounts.refresh()
        registered = await services.accounts.get(slug)
        menu = given or menu_of(slug, public_url=runtime.settings.public_url)
        await services.api.post(registered, MENU_CREATE, menu)
    finally:
        await services.stop()
        await runtime.engine.dispose()


def _read_menu(file: Path, speech: Speech) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        menu = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError):
        speech.refuse("menu_unreadable", file=file.name)
    if not isinstance(menu, dict) or "button" not in menu:
        speech.refuse("menu_unreadable", file=file.name)
    return menu
