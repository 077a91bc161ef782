"""What comes round for imports: finding those that nobody is at, emptying those long over."""

from datetime import datetime

from o2o.infra.database import Tx
from o2o.infra.outbox import Errand, send
from o2o.infra.subscriptions import Registry
from o2o.membership.actions.import_empty import empty_imports
from o2o.membership.actions.import_receive import TOPIC
from o2o.membership.queries.imports import find_due_import

LOOK_EVERY_SECONDS = 10
EMPTY_EVERY_SECONDS = 3600


def register(registry: Registry) -> None:
    """Put both on the timetable."""
    registry.schedule(
        "membership.look_for_imports", every_seconds=LOOK_EVERY_SECONDS, run=look_for_imports
    )
    registry.schedule(
        "membership.empty_imports", every_seconds=EMPTY_EVERY_SECONDS, run=empty_imports
    )


async def look_for_imports(tx: Tx, now: datetime) -> None:
    """Have imports worked on whose process was killed."""
    if await find_due_import(tx, now=now) is not None:
        await send(tx, [Errand(topic=TOPIC, payload={}, dedupe_key=TOPIC)], now=now)
