"""Open a visit for a member who was only identified: by phone tail or by a printed card.

Money comes onto the card in such a visit, and points are earned; nothing is paid from it without
the member's own yes.
"""

from datetime import datetime
from uuid import UUID

from o2o.crm.statuses import VisitVia
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import MemberId, StoreId, VisitId, new_id
from o2o.membership.actions.insert_visits import insert_visits
from o2o.membership.actions.open_visits import OpenedVisit
from o2o.membership.errors import MemberNotFound
from o2o.membership.queries import counter
from o2o.membership.queries.counter import CodeOwner
from o2o.membership.rules.limits import VISIT_LASTS
from o2o.membership.scanners import AtPad
from o2o.membership.scans import OpenVisit, Scan
from o2o.staff.errors import PadNotFound
from o2o.stores.errors import StoreNotFound


async def identify_member(
    tx: Tx, *, member_id: UUID, by: AtPad, via: VisitVia, now: datetime
) -> OpenedVisit:
    """Open a visit without a code; the pad's earlier one closes, the member's phone hears of it.

    Raises PadNotFound, StoreNotFound, MemberNotFound (also for another brand's). Publishes
    visit.opened.
    """
    assert via is not VisitVia.CODE, "a member code is spent, see open_visits"
    # Pads before members, as everywhere.
    if by.pad_id not in await counter.lock_pads(tx, {by.pad_id}):
        raise PadNotFound
    await counter.lock_members(tx, {member_id})
    store = (await counter.list_store_facts(tx, {by.store_id})).get(by.store_id)
    if store is None or store.brand_id != by.brand_id:
        raise StoreNotFound(store_id=by.store_id)
    member = (await counter.list_member_facts(tx, {member_id})).get(member_id)
    if member is None or member.brand_id != by.brand_id:
        raise MemberNotFound(member_id=member_id)
    scan = Scan(
        OpenVisit(code_hash=b"", by=by, now=now),
        store=store,
        owner=CodeOwner(member_id, member.brand_id),
        visit_id=new_id(),
        via=via,
    )
    await insert_visits(tx, [scan])
    await note(
        tx,
        actor=Actor("staff", by.staff_id),
        action="visit.identified",
        at=now,
        subject=("member", member_id),
        store_id=by.store_id,
        via=via.value,
    )
    assert scan.visit_id is not None
    return OpenedVisit(
        visit_id=VisitId(scan.visit_id),
        member_id=MemberId(member_id),
        store_id=StoreId(by.store_id),
        opened_at=now,
        expires_at=now + VISIT_LASTS,
    )
