"""What comes round for the ledger: points that end, holds nobody ended, sealing its history."""

from datetime import datetime
from pathlib import Path

from o2o.infra.database import Tx
from o2o.infra.outbox import publish
from o2o.infra.subscriptions import Registry
from o2o.ledger.actions.end_holds import expire_holds
from o2o.ledger.actions.expire_points import expire_points
from o2o.ledger.actions.seal_history import HEAD_TOPIC, seal_history
from o2o.ledger.events import HoldsStillDue, PointsStillDue
from o2o.ledger.heads import HeadsFile

SEAL_EVERY_SECONDS = 30
EXPIRE_POINTS_EVERY_SECONDS = 3600
EXPIRE_HOLDS_EVERY_SECONDS = 60
# What one transaction expires; where more is due, the next one follows at once.
BATCH = 500


async def seal(tx: Tx, now: datetime) -> None:
    """Seal the history that is decided by now."""
    await seal_history(tx, now=now)


async def sweep_points(tx: Tx, now: datetime) -> None:
    """Expire points that are over."""
    if await expire_points(tx, now=now, limit=BATCH) == BATCH:
        await publish(tx, PointsStillDue(at=now), now=now)


async def sweep_holds(tx: Tx, now: datetime) -> None:
    """Give back holds that are over."""
    if await expire_holds(tx, now=now, limit=BATCH) == BATCH:
        await publish(tx, HoldsStillDue(at=now), now=now)


async def go_on_with_points(tx: Tx, event: PointsStillDue) -> None:
    """Expire the next batch of points."""
    await sweep_points(tx, event.at)


async def go_on_with_holds(tx: Tx, event: HoldsStillDue) -> None:
    """Give back the next batch of holds."""
    await sweep_holds(tx, event.at)


def register(registry: Registry, *, data_dir: Path) -> None:
    """Put the sweeps on the timetable; note the heads of sealed history in `data_dir`."""
    registry.subscribe(PointsStillDue, go_on_with_points)
    registry.subscribe(HoldsStillDue, go_on_with_holds)
    registry.schedule(
        "ledger.expire_points", every_seconds=EXPIRE_POINTS_EVERY_SECONDS, run=sweep_points
    )
    registry.schedule(
        "ledger.expire_holds", every_seconds=EXPIRE_HOLDS_EVERY_SECONDS, run=sweep_holds
    )
    registry.perform(HEAD_TOPIC, HeadsFile(data_dir).note)
    registry.schedule("ledger.seal_history", every_seconds=SEAL_EVERY_SECONDS, run=seal)
