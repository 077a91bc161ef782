"""Migrations: bring the database to the schema this program was built for."""

from pathlib import Path

from alembic.config import Config

from alembic import command

PACKAGED = Path(__file__).parents[1] / "migrations"
CHECKOUT = Path(__file__).parents[3] / "alembic"


def migration_config(database_url: str) -> Config:
    """Return Alembic's configuration for a database, from a checkout or an installed wheel."""
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT if CHECKOUT.exists() else PACKAGED))
    config.set_main_option(
        "file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.attributes["database_url"] = database_url
    return config


def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade the database. Safe to call from several processes: an advisory lock queues them."""
    command.upgrade(migration_config(database_url), revision)
