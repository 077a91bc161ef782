"""A crowd beside the bench's members: a million people with cards and moving books, by number.

Everything about a person is computed from the number (crowd.sql), so the same count is the same
crowd. Rows are written as the product's actions would leave them, under every constraint and
trigger, in chunks that each commit; nothing that guards durability is touched.
"""

import asyncio
import re
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from o2o.infra.database import create_sessions, transaction

# Small enough for the product's own limit of a statement's time.
CHUNK = 5_000
LOADERS = 2
# One in fifty has it.
TAG = "bench"
# A top-up and four debits, each of two entries.
ENTRIES_EACH = 10
_STATEMENTS = (Path(__file__).parent / "crowd.sql").read_text("utf-8").split("\n;\n")
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def crowd_member(number: int) -> UUID:
    """Return the id of one of the crowd, numbered from 0."""
    return UUID(f"0d000000-0000-7000-8000-{number:012d}")


async def load_crowd(engine: AsyncEngine, *, store_id: UUID, members: int) -> None:
    """Write so many members into a bench world, then do what autovacuum does in its own time."""
    sessions = create_sessions(engine)
    async with transaction(sessions) as tx:
        brand_id = await tx.scalar(
            text("SELECT brand_id FROM stores WHERE id = :id"), {"id": store_id}
        )
    chunks = iter(range(0, members, CHUNK))
    place = {"brand_id": brand_id, "store_id": store_id, "tag": TAG}

    async def load() -> None:
        for low in chunks:
            values = place | {"low": low, "high": min(low + CHUNK, members) - 1}
            async with transaction(sessions) as tx:
                for statement in _STATEMENTS:
                    named = set(_PARAMETER.findall(statement)) & values.keys()
                    await tx.execute(text(statement), {name: values[name] for name in named})

    # Chunks are committed in whatever order; those of a person are all in one.
    await asyncio.gather(*(load() for _ in range(LOADERS)))
    async with engine.connect() as connection:
        direct = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await direct.execute(text("SET statement_timeout = 0"))
        await direct.execute(text("VACUUM (ANALYZE)"))
