"""How long it takes to seal all history there is, and to verify the books with it."""

import time
from datetime import UTC, datetime

from o2o.infra.database import create_engine, create_sessions, transaction
from o2o.ledger.actions.seal_history import seal_history
from o2o.ledger.verify import Verdict, verify_ledger


async def seal_and_verify(database_url: str) -> Verdict:
    """Seal round after round as the worker does, then verify everything; print both times."""
    engine = create_engine(database_url, pool_size=1)
    sessions = create_sessions(engine)
    try:
        began = time.perf_counter()
        entries = idle_rounds = 0
        # The first round of an idle ledger only notes how far it goes.
        while idle_rounds < 2:
            async with transaction(sessions) as tx:
                sealed = await seal_history(tx, now=datetime.now(UTC))
            entries += sum(seal.entries for seal in sealed)
            idle_rounds = 0 if sealed else idle_rounds + 1
        _tell("sealed", entries, time.perf_counter() - began)
        began = time.perf_counter()
        verdict = await verify_ledger(sessions)
        _tell("verified", verdict.history.sealed_entries, time.perf_counter() - began)
    finally:
        await engine.dispose()
    return verdict


def _tell(what: str, entries: int, seconds: float) -> None:
    each = 1e6 * seconds / max(1, entries)
    print(f"{what} {entries:,} entries in {seconds:.1f} s, {each:.1f} µs each", flush=True)
