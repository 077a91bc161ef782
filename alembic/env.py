"""How Alembic reaches the database: one connection, one lock, bounded waits."""

import asyncio
import os

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from alembic import context
from o2o.crm import metadata
from o2o.infra.database import async_url
from o2o.infra.locks import lock_number

LOCK = lock_number("o2o:migrations")


def run_on(connection: Connection) -> None:
    """Run the migrations inside one transaction per file."""
    connection.execute(text("SELECT set_config('lock_timeout', '5s', false)"))
    connection.execute(text("SELECT set_config('statement_timeout', '15min', false)"))
    connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
    connection.commit()


async def run() -> None:
    """Connect and run."""
    url = context.config.attributes.get("database_url") or os.environ["O2O_DATABASE_URL"]
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_on)
    await engine.dispose()


asyncio.run(run())
