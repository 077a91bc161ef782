"""`o2o store`: register stores and open their books."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from o2o.app.install.brands import choose_account, choose_brand
from o2o.app.install.hours import ALWAYS, parse_hours
from o2o.app.install.working import Speech, open_for_command, work
from o2o.infra.audit import SYSTEM, note
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId
from o2o.ledger.actions.open_accounts import open_store_accounts
from o2o.stores.actions.create_store import create_store
from o2o.stores.queries import find_store_by_code, list_brands, list_stores

HOURS_HELP = "Such as 'mon-fri 10:30-14:00,16:30-21:30'; one per span of days."


@click.group()
def store() -> None:
    """Register stores."""


@store.command("add")
@click.argument("code")
@click.option("--brand", help="Slug of the brand; with one brand it is that one.")
@click.option("--account", help="Slug of its official account; with one it is that one.")
@click.option("--name", required=True, help="As guests know it.")
@click.option("--city", required=True)
@click.option("--district", default="")
@click.option("--address", required=True)
@click.option("--phone", default="")
@click.option("--lat", type=float, required=True, help="Latitude, GCJ-02 degrees.")
@click.option("--lng", type=float, required=True, help="Longitude, GCJ-02 degrees.")
@click.option("--hours", multiple=True, default=[ALWAYS], show_default=True, help=HOURS_HELP)
@click.option("--timezone", default="Asia/Shanghai", show_default=True)
def add_command(
    code: str,
    *,
    brand: str | None,
    account: str | None,
    name: str,
    lat: float,
    lng: float,
    hours: tuple[str, ...],
    timezone: str,
    **place: str,
) -> None:
    """Register the store CODE; twice changes nothing."""
    speech = Speech()
    kept_hours = _hours(hours, speech)
    _check_place(lat, lng, zone=timezone, speech=speech)
    runtime = open_for_command()

    async def act(tx: Tx) -> bool:
        now = runtime.clock.now()
        owner = await choose_brand(tx, brand, new=None, speech=speech, now=now)
        fans = await choose_account(tx, account, brand_id=owner.id, speech=speech)
        is_new = await find_store_by_code(tx, brand_id=owner.id, code=code) is None
        store_id = await create_store(
            tx,
            brand_id=owner.id,
            account_id=fans.id,
            code=code,
            name=name,
            latitude=lat,
            longitude=lng,
            hours=kept_hours,
            timezone=timezone,
            now=now,
            **place,
        )
        await open_store_accounts(tx, brand_id=BrandId(owner.id), store_ids=[store_id], now=now)
        if is_new:
            await note(
                tx, actor=SYSTEM, action="store.created", at=now, subject=("store", store_id)
            )
        return is_new

    is_new = work(runtime, speech, act)
    click.echo(speech.said("store_added" if is_new else "store_exists", code=code, name=name))


@store.command("list")
def list_command() -> None:
    """List the stores: id, brand, code, name, city."""
    runtime = open_for_command()

    async def act(tx: Tx) -> list[tuple[str, ...]]:
        brands = {brand.id: brand.slug for brand in await list_brands(tx)}
        return [
            (str(row.id), brands[row.brand_id], row.code, row.name, row.city)
            for row in await list_stores(tx)
        ]

    for row in work(runtime, Speech(), act):
        click.echo("\t".join(row))


def _hours(lines: tuple[str, ...], speech: Speech) -> dict[str, list[list[str]]]:
    try:
        return parse_hours(lines)
    except ValueError as wrong:
        speech.refuse("hours_wrong", text=str(wrong))


def _check_place(lat: float, lng: float, *, zone: str, speech: Speech) -> None:
    # Also false for NaN, which compares with nothing.
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        speech.refuse("coordinates_wrong")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        speech.refuse("zone_unknown", zone=zone)
