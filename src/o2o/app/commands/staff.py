"""`o2o staff`: enter those who sign in on our side; the first manager comes from here."""

import click

from o2o.app.install.brands import choose_brand, choose_store
from o2o.app.install.entering import complete, from_environment, read_values
from o2o.app.install.working import Speech, open_for_command, work
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.infra.passwords import hash_secret
from o2o.staff.actions.create_staff import RoleAt, create_staff
from o2o.staff.queries import list_staff
from o2o.staff.rules import PAD_ROLES, is_password_strong, is_pin_strong
from o2o.stores.queries import list_brands

SECRETS = ("password", "pin")
# These work at a pad and nowhere else, so in one store at least and without a password.
COUNTER_ROLES = frozenset({StaffRoleName.CLERK, StaffRoleName.KITCHEN})
FILE_HELP = "TOML with password and pin; - reads standard input."


@click.group()
def staff() -> None:
    """Enter people who sign in at pads and the console."""


@staff.command("add")
@click.argument("login")
@click.option("--brand", help="Slug of the brand; with one brand it is that one.")
@click.option("--name", required=True, help="As guests and colleagues know them.")
@click.option("--role", type=click.Choice([role.value for role in StaffRoleName]), required=True)
@click.option("--store", "stores", multiple=True, help="Code of a store; none is all stores.")
@click.option("--from", "file", metavar="FILE", help=FILE_HELP)
def add_command(
    login: str,
    *,
    brand: str | None,
    name: str,
    role: str,
    stores: tuple[str, ...],
    file: str | None,
) -> None:
    """Enter LOGIN with one role.

    Who works at a pad needs a PIN, who works at the console a password, a manager both. They come
    from --from, from STAFF_PASSWORD and STAFF_PIN, or are asked for.
    """
    speech = Speech()
    kind = StaffRoleName(role)
    if kind in COUNTER_ROLES and not stores:
        speech.refuse("staff_stores_wanted")
    secrets = _enter_secrets(login, kind, file=file, speech=speech)
    runtime = open_for_command()

    async def act(tx: Tx) -> None:
        now = runtime.clock.now()
        owner = await choose_brand(tx, brand, new=None, speech=speech, now=now)
        places = [await choose_store(tx, code, brand=owner, speech=speech) for code in stores]
        await create_staff(
            tx,
            brand_id=owner.id,
            login=login,
            name=name,
            roles=[RoleAt(kind, place.id) for place in places] or [RoleAt(kind)],
            password_hash=secrets.get("password"),
            pin_hash=secrets.get("pin"),
            actor=SYSTEM,
            now=now,
        )

    work(runtime, speech, act)
    click.echo(speech.said("staff_added", login=login, role=role))


@staff.command("list")
def list_command() -> None:
    """List the staff: brand, login, name."""
    runtime = open_for_command()

    async def act(tx: Tx) -> list[tuple[str, ...]]:
        return [
            (owner.slug, person.login, person.name)
            for owner in await list_brands(tx)
            for person in await list_staff(tx, brand_id=owner.id)
        ]

    for row in work(runtime, Speech(), act):
        click.echo("\t".join(row))


def _enter_secrets(
    login: str, role: StaffRoleName, *, file: str | None, speech: Speech
) -> dict[str, str]:
    """Return the hashes of what this role signs in with."""
    wanted = [] if role in COUNTER_ROLES else ["password"]
    wanted += ["pin"] if role in PAD_ROLES else []
    given = {**from_environment(wanted), **read_values(file, allowed=SECRETS, speech=speech)}
    values = complete(given, wanted=wanted, speech=speech, confirmed=SECRETS)
    if "password" in values and not is_password_strong(values["password"], login=login):
        speech.refuse_field("password")
    if "pin" in values and not is_pin_strong(values["pin"]):
        speech.refuse_field("pin")
    return {name: hash_secret(value) for name, value in values.items()}
