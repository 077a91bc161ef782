"""`o2o key`: issue keys to POS and hall systems, list them, revoke them."""

from uuid import UUID

import click

from o2o.app.install.brands import choose_brand
from o2o.app.install.working import Speech, open_for_command, work
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.staff.actions.revoke_api_key import revoke_api_key
from o2o.staff.queries import list_api_keys
from o2o.staff.rules import SCOPES
from o2o.stores.queries import list_brands


@click.group()
def key() -> None:
    """Issue and revoke API keys."""


@key.command("issue")
@click.option("--name", required=True, help="Which system it is for.")
@click.option("--scopes", required=True, metavar="A,B", help=f"Any of {', '.join(sorted(SCOPES))}.")
@click.option("--brand", help="Slug of the brand it speaks for; the whole group unless given.")
@click.option(
    "--unattended-fen-max",
    type=click.IntRange(0, AMOUNT_FEN_MAX),
    default=0,
    show_default=True,
    help="Largest single debit without a member at the counter, in fen.",
)
def issue_command(*, name: str, scopes: str, brand: str | None, unattended_fen_max: int) -> None:
    """Issue a key; it goes to standard output, this once."""
    speech = Speech()
    runtime = open_for_command()

    async def act(tx: Tx) -> str:
        now = runtime.clock.now()
        owner = brand and await choose_brand(tx, brand, new=None, speech=speech, now=now)
        issued = await issue_api_key(
            tx,
            seal=runtime.seal,
            brand_id=owner.id if owner else None,
            name=name,
            scopes=[scope.strip() for scope in scopes.split(",") if scope.strip()],
            unattended_debit_fen_max=unattended_fen_max,
            actor=SYSTEM,
            now=now,
        )
        return issued.token

    token = work(runtime, speech, act)
    click.echo(speech.said("key_issued"), err=True)
    click.echo(token)


@key.command("list")
def list_command() -> None:
    """List the keys: id, brand, name, scopes, state."""
    runtime = open_for_command()

    async def act(tx: Tx) -> list[tuple[str, ...]]:
        owners: list[tuple[UUID | None, str]] = [(None, "-")]
        owners += [(brand.id, brand.slug) for brand in await list_brands(tx)]
        return [
            (
                str(row.id),
                slug,
                row.name,
                ",".join(row.scopes),
                "revoked" if row.revoked_at else "live",
            )
            for brand_id, slug in owners
            for row in await list_api_keys(tx, brand_id=brand_id)
        ]

    for row in work(runtime, Speech(), act):
        click.echo("\t".join(row))


@key.command("revoke")
@click.argument("key_id", type=click.UUID)
@click.option("--brand", help="Slug of the brand it speaks for; none for the whole group's.")
def revoke_command(key_id: UUID, *, brand: str | None) -> None:
    """Revoke the key KEY_ID: the next request with it is refused."""
    speech = Speech()
    runtime = open_for_command()

    async def act(tx: Tx) -> None:
        now = runtime.clock.now()
        owner = brand and await choose_brand(tx, brand, new=None, speech=speech, now=now)
        await revoke_api_key(
            tx, key_id=key_id, brand_id=owner.id if owner else None, actor=SYSTEM, now=now
        )

    work(runtime, speech, act)
    click.echo(speech.said("key_revoked", key_id=str(key_id)))
