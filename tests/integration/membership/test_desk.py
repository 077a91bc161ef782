"""The desk ends cleanly: what was handed in is committed and answered before the process goes."""

import asyncio
from uuid import UUID

from o2o.infra.database import SessionFactory
from o2o.infra.seal import Seal
from o2o.kernel.ids import new_request_id
from o2o.membership.desk import Desk
from tests.factories.members import Counter, count
from tests.fakes.clock import FakeClock


async def test_draining_waits_for_what_was_handed_in(
    sessions: SessionFactory, counter: Counter, seal: Seal, clock: FakeClock
) -> None:
    desk = Desk(sessions=sessions, seal=seal, clock=clock)

    async def grant(points: int) -> UUID:
        moved = await desk.move_points(
            request_id=new_request_id(),
            member_id=counter.member_id,
            delta=points,
            store_id=counter.store.id,
            reason="",
            key_id=counter.key.key_id,
            brand_id=counter.brand.id,
        )
        return moved.transfer_id

    handed_in = [asyncio.create_task(grant(points)) for points in (3, 4)]
    await asyncio.sleep(0)
    await desk.drain()
    assert await count(sessions, "ledger_transfers", "kind = 'points_earned'") == 2
    assert len(set(await asyncio.gather(*handed_in))) == 2
