"""Retire what stands on paper or on a screen: a door's code, the address of a store's display."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from o2o.crm.queueing import QueueSettings
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import send
from o2o.queueing.errors import QueueSettingsInvalid
from o2o.queueing.live import CHANGED, store_topic
from o2o.queueing.queries.doors import find_editions

# What the columns hold.
EDITION_MAX = 32_767


class Published(StrEnum):
    """What a store has published, and may take back."""

    # The code on the posters at the door, and on the display.
    DOOR = "door_code"
    # The address by which a screen shows the hall.
    DISPLAY = "display_address"


_RETIRE = {
    Published.DOOR: text(
        "UPDATE queue_settings SET door_edition = door_edition + 1, changed_at = :now"
        " WHERE store_id = :store_id AND door_edition = :edition AND door_edition < :most"
        " RETURNING door_edition"
    ),
    Published.DISPLAY: text(
        "UPDATE queue_settings SET display_edition = display_edition + 1, changed_at = :now"
        " WHERE store_id = :store_id AND display_edition = :edition AND display_edition < :most"
        " RETURNING display_edition"
    ),
}


async def retire_codes(
    tx: Tx, store_id: UUID, what: Published, *, edition: int, actor: Actor, now: datetime
) -> int:
    """End an edition, and return the one that is good now.

    `edition` is the one that whoever asks has seen: what was retired meanwhile stays so, and the
    newer one, which may be on paper already, stays good. Raises QueueSettingsInvalid for an
    edition that never was. Screens that show it are told to look anew.
    """
    await tx.execute(
        insert(QueueSettings).values(store_id=store_id, changed_at=now).on_conflict_do_nothing()
    )
    asked = {"store_id": store_id, "edition": edition, "now": now, "most": EDITION_MAX}
    fresh = await tx.scalar(_RETIRE[what], asked)
    if fresh is None:
        good = await find_editions(tx, store_id)
        current = good.door if what is Published.DOOR else good.display
        if current <= edition:
            raise QueueSettingsInvalid(field="edition")
        return current
    await send(tx, [live_push(store_topic(store_id), CHANGED, {})], now=now)
    await note(
        tx,
        actor=actor,
        action=f"{what.value}.retired",
        at=now,
        subject=("store", store_id),
        store_id=store_id,
        before={"edition": edition},
        after={"edition": fresh},
    )
    return int(fresh)
