"""Fifty stores with four queues each, and what was sent for a number taken in one of them."""

from uuid import UUID

from sqlalchemy import text

from bench.statements import Recorded, Recording, open_site
from bench.world import FIRST_MEMBER, World
from o2o.infra.database import create_engine, create_sessions, transaction

QUEUES = 200
QUEUES_PER_STORE = 4
FIRST_QUEUE = FIRST_MEMBER
QUEUE_PREFIX = "0d000000-0000-7000-8000-"
STORE_PREFIX = "0e000000-0000-7000-8000-"
# Three queues, so many numbers ahead of the recorded one: chance does not make two figures alike.
RECORDED = {3: 1, 77: 4, 150: 9}

_STORES = text(
    "INSERT INTO stores (id, brand_id, account_id, code, name, city, district, address, latitude,"
    " longitude, phone, hours, timezone, created_at)"
    " SELECT CAST(:prefix || n AS uuid), s.brand_id, s.account_id, 'q' || n, 'Queues ' || n,"
    " s.city, s.district, s.address, s.latitude, s.longitude, s.phone, s.hours, s.timezone,"
    " s.created_at FROM stores s,"
    " generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n WHERE s.id = :store_id"
)
_QUEUES = text(
    "INSERT INTO queues (id, store_id, kind, code, name, name_en, party_size_min, party_size_max,"
    " status, servers, minutes_per_party, rank, changed_at, created_at)"
    " SELECT CAST(:prefix || n AS uuid),"
    " CAST(:store_prefix || (CAST(:first AS bigint) + (n - CAST(:first AS bigint)) / 4) AS uuid),"
    " 'table_class', chr(65 + CAST((n - CAST(:first AS bigint)) % 4 AS int)), 'Queue', 'Queue',"
    " 1, 4, 'open', 4, 40, 0, now(), now()"
    " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n"
)
# Numbers without gaps, and counts that are right.
_FAULTS = text(
    "SELECT count(*) FROM queue_days d JOIN LATERAL (SELECT count(*) AS n, max(number) AS last"
    " FROM tickets t WHERE t.queue_id = d.queue_id AND t.business_on = d.business_on) t ON true"
    " WHERE t.n <> d.last_number OR t.last <> d.last_number OR d.waiting_ordinary <> t.n"
)


def queue_id(number: int) -> UUID:
    """Return the id of one of the queues, which are numbered from 0."""
    return UUID(f"{QUEUE_PREFIX}{FIRST_QUEUE + number}")


async def make_queues(database_url: str, world: World) -> None:
    """Add the stores and their queues to the world."""
    engine = create_engine(database_url, pool_size=1)
    stores = QUEUES // QUEUES_PER_STORE
    try:
        async with transaction(create_sessions(engine)) as tx:
            await tx.execute(
                _STORES,
                {
                    "prefix": STORE_PREFIX,
                    "first": FIRST_QUEUE,
                    "last": FIRST_QUEUE + stores - 1,
                    "store_id": world.store_id,
                },
            )
            await tx.execute(
                _QUEUES,
                {
                    "prefix": QUEUE_PREFIX,
                    "store_prefix": STORE_PREFIX,
                    "first": FIRST_QUEUE,
                    "last": FIRST_QUEUE + QUEUES - 1,
                },
            )
        async with engine.begin() as connection:
            await connection.execute(text("ANALYZE"))
    finally:
        await engine.dispose()


async def record_takes(database_url: str, world: World) -> list[Recording]:
    """Take a number in every queue, some more in three of them, and return what was sent there."""
    async with open_site(database_url, world) as site:
        for number in range(QUEUES):
            await _take(site, number)
        for number, more in RECORDED.items():
            for _ in range(more):
                await _take(site, number)
        return [await _take(site, number) for number in RECORDED]


async def _take(site: Recorded, number: int) -> Recording:
    queue = queue_id(number)
    path = f"/api/v1/queues/{queue}/tickets"
    return await site.send(path, ids=(queue,), amount=1, body={"party_size": 2})


async def count_faults(database_url: str) -> int:
    """Return on how many days a number is missing or a count is wrong."""
    engine = create_engine(database_url, pool_size=1)
    try:
        async with transaction(create_sessions(engine)) as tx:
            return int((await tx.execute(_FAULTS)).scalar_one())
    finally:
        await engine.dispose()
