"""`o2o migrate`: bring the database to this program's schema."""

import click

from o2o.app.starting import settings_with_database
from o2o.infra.migrations import migrate


@click.command()
@click.option("--revision", default="head", show_default=True, help="Where to stop.")
def migrate_command(revision: str) -> None:
    """Bring the database up to date; several at once queue up."""
    migrate(settings_with_database().database_url, revision)
    click.echo("The database is up to date.")
