"""The hall of `chaos calls`: queues in the demo's stores, and the parties that wait in them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import text

from chaos.product import Product
from o2o.crm.statuses import TicketSource
from o2o.infra.database import Tx, create_engine, create_sessions, transaction
from o2o.kernel.ids import new_id
from o2o.queueing.actions.take_tickets import take_tickets
from o2o.queueing.commands import TakenTicket, TakeTicket

TAKES_AT_ONCE = 200
# The demo's own lines have the first letters.
LETTERS = "EFGHIJKLMNOPQRSTUVWXYZ"

_STORES = text(
    "SELECT s.id FROM stores s JOIN official_accounts a ON a.id = s.account_id"
    " WHERE a.slug = :account ORDER BY s.created_at DESC, s.id"
)
_USED = text("SELECT store_id, code FROM queues")
# A round works at any hour of the day.
_OPEN = text(
    "UPDATE stores SET hours = '{}', hours_exceptions = '{}'"
    " WHERE id = ANY(CAST(:store_ids AS uuid[]))"
)
_QUEUES = text(
    "INSERT INTO queues (id, store_id, kind, code, name, name_en, party_size_max, status, servers,"
    " minutes_per_party, rank, changed_at, created_at)"
    " SELECT id, store_id, 'service_line', code, 'Line', 'Line', 1, 'open', 4, 5, 100, :now, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:store_ids AS uuid[]), CAST(:codes AS text[]))"
    " AS q(id, store_id, code)"
)
_FANS = text(
    "SELECT f.id, f.openid FROM fans f JOIN official_accounts a ON a.id = f.account_id"
    " WHERE a.slug = :account AND f.openid = ANY(CAST(:openids AS text[]))"
)


class Waiting(msgspec.Struct, frozen=True):
    """Who waits: people with phones first, then others."""

    account: str
    openids: Sequence[str]
    without_phone: int


class Hall(msgspec.Struct, frozen=True):
    """The round's own lines, and whose number is whose."""

    queue_ids: list[UUID]
    # openid → the code of its number.
    codes: dict[str, str]


async def fill_hall(product: Product, queues: int, waiting: Waiting) -> Hall:
    """Make the lines, and let everybody take a number by the product's own action."""
    engine = create_engine(product.database_url, pool_size=2)
    sessions = create_sessions(engine)
    try:
        async with transaction(sessions) as tx:
            queue_ids = await _open_lines(tx, queues, account=waiting.account)
            rows = await tx.execute(
                _FANS, {"account": waiting.account, "openids": list(waiting.openids)}
            )
            fans = {row.openid: row.id for row in rows}
        wishes = [fans[openid] for openid in waiting.openids] + [None] * waiting.without_phone
        codes: dict[UUID | None, str] = {}
        for start in range(0, len(wishes), TAKES_AT_ONCE):
            commands = [
                TakeTicket(
                    request_id=new_id(),
                    queue_id=queue_ids[place % queues],
                    party_size=1,
                    source=TicketSource.PAD,
                    fan_id=fan_id,
                    now=datetime.now(UTC),
                )
                for place, fan_id in enumerate(wishes[start : start + TAKES_AT_ONCE], start)
            ]
            async with transaction(sessions) as tx:
                for command, taken in zip(commands, await take_tickets(tx, commands), strict=True):
                    assert isinstance(taken, TakenTicket), taken
                    codes[command.fan_id] = taken.code
        # A hall fills within hours, and the database keeps up with what it holds.
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))
        return Hall(queue_ids, {openid: codes[fans[openid]] for openid in waiting.openids})
    finally:
        await engine.dispose()


async def _open_lines(tx: Tx, queues: int, *, account: str) -> list[UUID]:
    stores = (await tx.scalars(_STORES, {"account": account})).all()
    used = {(row.store_id, row.code) for row in await tx.execute(_USED)}
    free = [(s, letter) for letter in LETTERS for s in stores if (s, letter) not in used]
    places = free[:queues]
    assert len(places) == queues, f"{len(stores)} stores have room for {len(places)} queues"
    queue_ids = [new_id() for _ in places]
    await tx.execute(_OPEN, {"store_ids": list({store for store, _ in places})})
    await tx.execute(
        _QUEUES,
        {
            "ids": queue_ids,
            "store_ids": [store for store, _ in places],
            "codes": [letter for _, letter in places],
            "now": datetime.now(UTC),
        },
    )
    return queue_ids
