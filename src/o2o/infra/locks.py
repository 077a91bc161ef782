"""Advisory locks by name, for things that have no row to lock yet."""

import hashlib

from sqlalchemy import text

from o2o.infra.database import Tx


def lock_number(name: str) -> int:
    """Return the signed 64-bit number under which PostgreSQL knows a lock's name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


async def lock_names(tx: Tx, *names: str) -> None:
    """Hold these names until the transaction ends, taken in one fixed order for everybody."""
    for number in sorted({lock_number(name) for name in names}):
        await tx.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


async def try_lock_name(tx: Tx, name: str) -> bool:
    """Hold a name until the transaction ends if nobody else does."""
    row = await tx.execute(
        text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": lock_number(name)}
    )
    return bool(row.scalar_one())
