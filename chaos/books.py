"""`python -m chaos books`: the ledger alone, everything it can do at once, for some seconds.

No product is started: sixty-four connections call the ledger's actions as web workers would, on an
embedded database of their own.
"""

import argparse
import asyncio
import secrets
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from chaos.results import append_result, tell_lines
from chaos.round import Verdict
from chaos.trade import CLIENTS, TWICE_AT_ONCE, Market, Trade
from o2o.crm.statuses import BrandKind, CallbackMode
from o2o.infra.database import SessionFactory, create_engine, create_sessions, transaction
from o2o.infra.embedded_postgres import start_embedded, stop_embedded
from o2o.infra.migrations import migrate
from o2o.infra.seal import Seal
from o2o.kernel.ids import MemberId, new_id
from o2o.ledger.actions.open_accounts import open_member_accounts, open_store_accounts
from o2o.stores.actions.create_brand import NewTier, create_brand
from o2o.stores.actions.create_store import create_store
from o2o.wechat.actions.register_account import AccountDetails, register_account

MEMBERS = 24


def main(arguments: list[str]) -> int:
    """Return 0 when the books stood, 1 when they did not."""
    parser = argparse.ArgumentParser(prog="python -m chaos books", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is traded")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="connections at once")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parsed = parser.parse_args(arguments)
    command = (
        f"python -m chaos books --seconds {parsed.seconds:g}"
        f" --clients {parsed.clients} --seed {parsed.seed}"
    )
    print(command)
    with tempfile.TemporaryDirectory(prefix="o2o-chaos-books-") as name:
        url = start_embedded(Path(name))
        try:
            migrate(url)
            verdict = asyncio.run(
                _trade(url, seconds=parsed.seconds, clients=parsed.clients, seed=parsed.seed)
            )
        finally:
            stop_embedded(Path(name))
    for line in tell_lines(verdict):
        print(line)
    append_result(verdict, command=command)
    return 1 if verdict.violations else 0


async def _trade(url: str, *, seconds: float, clients: int, seed: int) -> Verdict:
    engine = create_engine(url, pool_size=clients + TWICE_AT_ONCE + 1)
    sessions = create_sessions(engine)
    started = time.monotonic()
    try:
        trade = Trade(sessions, await _open_market(sessions), seed=seed)
        await trade.run(seconds=seconds, clients=clients)
    finally:
        await engine.dispose()
    return Verdict(
        seconds=time.monotonic() - started,
        figures=dict(sorted(trade.figures.items())),
        faults={},
        violations=trade.violations,
    )


async def _open_market(sessions: SessionFactory) -> Market:
    now = datetime.now(UTC)
    async with transaction(sessions) as tx:
        brand_id = await create_brand(
            tx,
            slug="market",
            name="Market",
            name_en="Market",
            kind=BrandKind.RESTAURANT,
            hue="#0a7d4f",
            terms_version="1",
            card_prefix="6660",
            tiers=[NewTier(code="basic", name="Basic", spend_from_fen=0)],
            now=now,
        )
        details = AccountDetails(
            slug="market",
            appid="wx0000000000000001",
            original_id="gh_000000000001",
            name="Market",
            place_word="Store",
            mode=CallbackMode.SAFE,
            secret=secrets.token_hex(16),
            token=secrets.token_hex(8),
            encoding_aes_key=(secrets.token_hex(22))[:43],
        )
        account_id = await register_account(
            tx, brand_id=brand_id, details=details, seal=Seal(secrets.token_hex(32)), now=now
        )
        store_id = await create_store(
            tx,
            brand_id=brand_id,
            account_id=account_id,
            code="market",
            name="Market",
            city="Market",
            district="Market",
            address="Market",
            latitude=31.2,
            longitude=121.4,
            phone="02160000000",
            hours={},
            timezone="Asia/Shanghai",
            now=now,
        )
        members = [MemberId(new_id()) for _ in range(MEMBERS)]
        await open_store_accounts(tx, brand_id=brand_id, store_ids=[store_id], now=now)
        await open_member_accounts(tx, brand_id=brand_id, member_ids=members, now=now)
    return Market(brand_id=brand_id, store_id=store_id, members=members)
