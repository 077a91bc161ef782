"""Whether a display's address is still good, asked outside any request: by event streams."""

from uuid import UUID

from o2o.infra.database import SessionFactory, reading
from o2o.queueing.queries.doors import find_editions


async def is_good_display(sessions: SessionFactory, store_id: UUID, edition: int) -> bool:
    """Whether this edition of a store's address is the one of now."""
    async with reading(sessions) as tx:
        return (await find_editions(tx, store_id)).display == edition
