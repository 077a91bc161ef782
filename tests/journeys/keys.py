"""Keys for other systems, issued as the console would, on a product that runs."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from chaos.product import Product
from o2o.infra.audit import SYSTEM
from o2o.infra.database import create_engine, create_sessions, transaction
from o2o.infra.seal import Seal
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.stores.queries import find_brand


def issue_key(
    product: Product, *, scopes: Iterable[str], brand: str | None = None, debit_fen_max: int = 0
) -> str:
    """Return a new key with these scopes, of one brand or of the whole group."""
    return asyncio.run(_issue(product, scopes, brand=brand, debit_fen_max=debit_fen_max))


async def _issue(
    product: Product, scopes: Iterable[str], *, brand: str | None, debit_fen_max: int
) -> str:
    engine = create_engine(product.database_url, pool_size=1)
    try:
        async with transaction(create_sessions(engine)) as tx:
            row = await find_brand(tx, brand) if brand is not None else None
            issued = await issue_api_key(
                tx,
                seal=Seal((product.data_dir / "secret_key").read_text()),
                brand_id=row.id if row is not None else None,
                name="journey",
                scopes=scopes,
                unattended_debit_fen_max=debit_fen_max,
                actor=SYSTEM,
                now=datetime.now(UTC),
            )
    finally:
        await engine.dispose()
    return issued.token
