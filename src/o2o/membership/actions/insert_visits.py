"""Write visits down: a pad's earlier visit closes, the member's phone and other domains hear."""

from collections.abc import Sequence

from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import Errand, publish, send
from o2o.kernel.events import Event
from o2o.kernel.ids import MemberId, StoreId, VisitId
from o2o.membership.events import VisitHeld, VisitOpened
from o2o.membership.rules.limits import VISIT_LASTS
from o2o.membership.scanners import AtPad
from o2o.membership.scans import Scan, still_open

_CLOSE_OF_PADS = text(
    "UPDATE counter_visits v SET closed_at = s.now"
    " FROM unnest(CAST(:pad_ids AS uuid[]), CAST(:nows AS timestamptz[])) AS s(pad_id, now)"
    " WHERE v.pad_id = s.pad_id AND v.closed_at IS NULL"
)
_INSERT = text(
    "INSERT INTO counter_visits (id, member_id, store_id, pad_id, api_key_id, opened_by,"
    " code_hash, opened_at, expires_at, closed_at, held_at, via)"
    " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:member_ids AS uuid[]),"
    " CAST(:store_ids AS uuid[]), CAST(:pad_ids AS uuid[]), CAST(:key_ids AS uuid[]),"
    " CAST(:staff_ids AS uuid[]), CAST(:hashes AS bytea[]), CAST(:opened AS timestamptz[]),"
    " CAST(:expires AS timestamptz[]), CAST(:closed AS timestamptz[]),"
    " CAST(:held AS timestamptz[]), CAST(:vias AS text[]))"
)


async def insert_visits(tx: Tx, scans: Sequence[Scan]) -> None:
    """Insert the visits of the scans that nothing stands in the way of, and tell of them."""
    opening = still_open(scans)
    if not opening:
        return
    # A pad serves one member at a time: of several scans in one batch the last one stays open.
    last_of_pad = {s.command.by.pad_id: s for s in opening if isinstance(s.command.by, AtPad)}
    if last_of_pad:
        await tx.execute(
            _CLOSE_OF_PADS,
            {
                "pad_ids": list(last_of_pad),
                "nows": [scan.command.now for scan in last_of_pad.values()],
            },
        )
    commands = [scan.command for scan in opening]
    pads = [c.by.pad_id if isinstance(c.by, AtPad) else None for c in commands]
    await tx.execute(
        _INSERT,
        {
            "ids": [scan.visit_id for scan in opening],
            "member_ids": [scan.owner.member_id for scan in opening if scan.owner],
            "store_ids": [c.by.store_id for c in commands],
            "pad_ids": pads,
            "key_ids": [None if isinstance(c.by, AtPad) else c.by.key_id for c in commands],
            "staff_ids": [c.by.staff_id if isinstance(c.by, AtPad) else None for c in commands],
            "hashes": [c.code_hash or None for c in commands],
            "opened": [c.now for c in commands],
            "expires": [c.now + VISIT_LASTS for c in commands],
            "closed": [
                s.command.now if pad and last_of_pad[pad] is not s else None
                for s, pad in zip(opening, pads, strict=True)
            ],
            "held": [s.command.now if s.held_since else None for s in opening],
            "vias": [scan.via.value for scan in opening],
        },
    )
    await _tell(tx, opening)


async def _tell(tx: Tx, scans: Sequence[Scan]) -> None:
    events: list[Event] = []
    pushes: list[Errand] = []
    for scan in scans:
        assert scan.owner is not None
        assert scan.store is not None
        assert scan.visit_id is not None
        events.append(_event(scan))
        pushes.append(
            live_push(
                f"member:{scan.owner.member_id}",
                "scanned" if scan.held_since is None else "visit_held",
                {"visit_id": str(scan.visit_id), "store_name": scan.store.name},
            )
        )
    now = max(scan.command.now for scan in scans)
    await publish(tx, *events, now=now)
    await send(tx, pushes, now=now)


def _event(scan: Scan) -> Event:
    assert scan.owner is not None
    assert scan.visit_id is not None
    visit_id, member_id = VisitId(scan.visit_id), MemberId(scan.owner.member_id)
    store_id, at = StoreId(scan.command.by.store_id), scan.command.now
    if scan.held_since is None:
        return VisitOpened(visit_id=visit_id, member_id=member_id, store_id=store_id, at=at)
    return VisitHeld(
        visit_id=visit_id,
        member_id=member_id,
        store_id=store_id,
        last_store_id=StoreId(scan.held_since.store_id),
        at=at,
    )
