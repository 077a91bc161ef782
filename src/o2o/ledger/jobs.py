"""What comes round for the ledger: sealing its history."""

from datetime import datetime
from pathlib import Path

from o2o.infra.database import Tx
from o2o.infra.subscriptions import Registry
from o2o.ledger.actions.seal_history import HEAD_TOPIC, seal_history
from o2o.ledger.heads import HeadsFile

SEAL_EVERY_SECONDS = 30


async def seal(tx: Tx, now: datetime) -> None:
    """Seal the history that is decided by now."""
    await seal_history(tx, now=now)


def register(registry: Registry, *, data_dir: Path) -> None:
    """Seal history, and note the heads in `data_dir` once the seals are committed."""
    registry.perform(HEAD_TOPIC, HeadsFile(data_dir).note)
    registry.schedule("ledger.seal_history", every_seconds=SEAL_EVERY_SECONDS, run=seal)
