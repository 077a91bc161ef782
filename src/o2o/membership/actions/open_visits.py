"""Open counter visits: a scanned member code is spent, for ever, and opens five minutes.

Set-based, and refusals come back as data: a wrong guess must be counted although the scan is
refused, so the transaction commits either way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import MemberId, StoreId, VisitId, new_id
from o2o.membership.actions.insert_visits import insert_visits
from o2o.membership.actions.spend_codes import spend_codes
from o2o.membership.errors import UnlikelyTravel
from o2o.membership.queries import counter
from o2o.membership.queries.counter import LastSeen, StoreFacts
from o2o.membership.rules.limits import TRAVEL_LOOK_BACK, VISIT_LASTS
from o2o.membership.rules.travel import distance_m, is_travel_unlikely
from o2o.membership.scans import OpenVisit, Scan, still_open

__all__ = ["OpenVisit", "OpenedVisit", "open_visits"]


class OpenedVisit(msgspec.Struct, frozen=True, kw_only=True):
    """One member, one pad or key, one store, until `expires_at` at most."""

    visit_id: VisitId
    member_id: MemberId
    store_id: StoreId
    opened_at: datetime
    expires_at: datetime


async def open_visits(tx: Tx, commands: Sequence[OpenVisit]) -> list[OpenedVisit | Fact]:
    """Answer each scan in order.

    Facts: CodeUnknown, CodeExpired, CodeUsed, ScanLocked after six unknown codes in a minute,
    UnlikelyTravel (the visit waits for the member's yes), StoreNotFound, PadNotFound. Publishes
    visit.opened, visit.held, pad.scan_locked; tells the member's open page.
    """
    scans = [Scan(command) for command in commands]
    await spend_codes(tx, scans)
    stores = await _hold_unlikely(tx, scans)
    await insert_visits(tx, scans)
    return [_answer(scan, stores) for scan in scans]


async def _hold_unlikely(tx: Tx, scans: Sequence[Scan]) -> dict[UUID, StoreFacts]:
    opening = still_open(scans)
    for scan in opening:
        scan.visit_id = new_id()
    members = {scan.owner.member_id for scan in opening if scan.owner}
    if not members:
        return {}
    since = min(scan.command.now for scan in opening) - TRAVEL_LOOK_BACK
    seen = await counter.list_last_seen(tx, members, since=since)
    stores = {s.store.store_id: s.store for s in opening if s.store}
    stores |= await counter.list_store_facts(
        tx, {last.store_id for last in seen.values()} - set(stores)
    )
    for scan in opening:
        assert scan.owner is not None
        assert scan.store is not None
        last = seen.get(scan.owner.member_id)
        if last is not None and _is_unlikely(
            stores[last.store_id], scan.store, within=scan.command.now - last.opened_at
        ):
            scan.held_since = last
        else:
            seen[scan.owner.member_id] = LastSeen(scan.store.store_id, scan.command.now)
    return stores


def _is_unlikely(last: StoreFacts, here: StoreFacts, *, within: timedelta) -> bool:
    metres = distance_m(
        last.latitude, last.longitude, to_latitude=here.latitude, to_longitude=here.longitude
    )
    return is_travel_unlikely(metres, within=within)


def _answer(scan: Scan, stores: dict[UUID, StoreFacts]) -> OpenedVisit | Fact:
    if scan.refusal is not None:
        return scan.refusal
    assert scan.owner is not None
    assert scan.visit_id is not None
    if scan.held_since is not None:
        last = stores[scan.held_since.store_id]
        return UnlikelyTravel(visit_id=scan.visit_id, store_name=last.name)
    return OpenedVisit(
        visit_id=VisitId(scan.visit_id),
        member_id=MemberId(scan.owner.member_id),
        store_id=StoreId(scan.command.by.store_id),
        opened_at=scan.command.now,
        expires_at=scan.command.now + VISIT_LASTS,
    )
