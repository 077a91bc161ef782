"""A brand with two stores, a manager and a clerk of the first, a pad, and the front door."""

from uuid import UUID

import msgspec
import pytest

from o2o.crm.organisation import Brand, Store
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.seal import Seal
from o2o.staff.actions.enrol_pad import EnrolledPad
from o2o.staff.front_door import FrontDoor
from tests.factories.organisation import given_account, given_brand, given_store
from tests.factories.staff import given_pad, given_staff
from tests.fakes.clock import FakeClock


class House(msgspec.Struct, frozen=True, kw_only=True):
    """Who works where."""

    brand: Brand
    store: Store
    other_store: Store
    manager_id: UUID
    clerk_id: UUID
    pad: EnrolledPad
    other_pad: EnrolledPad


@pytest.fixture
async def house(sessions: SessionFactory, seal: Seal) -> House:
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        account = await given_account(tx, brand, seal=seal)
        store = await given_store(tx, brand, account)
        other_store = await given_store(tx, brand, account)
        manager = StaffRoleName.MANAGER
        return House(
            brand=brand,
            store=store,
            other_store=other_store,
            manager_id=await given_staff(
                tx, brand, role=manager, store_id=store.id, login="linfan"
            ),
            clerk_id=await given_staff(tx, brand, store_id=store.id, login="chenjie"),
            pad=await given_pad(tx, seal=seal, store_id=store.id),
            other_pad=await given_pad(tx, seal=seal, store_id=other_store.id),
        )


@pytest.fixture
def door(sessions: SessionFactory, seal: Seal, clock: FakeClock) -> FrontDoor:
    return FrontDoor(sessions=sessions, seal=seal, clock=clock)
