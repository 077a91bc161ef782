"""Which stores' queues somebody at the console may see, and which they may change."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from o2o.crm.organisation import Store
from o2o.crm.statuses import StaffRoleName
from o2o.infra.audit import Actor
from o2o.infra.database import Tx
from o2o.stores.queries import get_store, list_stores
from o2o.web.errors import RoleMissing
from o2o.web.principals import ConsoleStaff

PAGE = "/console/queues"
SLOT = "queues"
READERS = frozenset(
    {
        StaffRoleName.MANAGER,
        StaffRoleName.MARKETER,
        StaffRoleName.SERVICE,
        StaffRoleName.AUDITOR,
    }
)


class StoreHead(msgspec.Struct, frozen=True, kw_only=True):
    """What every page about one store's queues begins with."""

    store_id: UUID
    name: str
    city: str
    timezone: str
    # The tab that is shown; a key of the copy.
    tab: str
    can_edit: bool
    # Whether there are other stores to go back to.
    has_others: bool


def actor_of(person: ConsoleStaff) -> Actor:
    """Return who acts, for the audit trail."""
    return Actor("staff", person.staff_id)


def can_edit(person: ConsoleStaff, store_id: UUID) -> bool:
    """Whether the person manages this store."""
    return person.covers(StaffRoleName.MANAGER, store_id)


def can_read(person: ConsoleStaff, store_id: UUID) -> bool:
    """Whether the person has to do with this store's queues."""
    return any(person.covers(role, store_id) for role in READERS)


async def list_readable_stores(tx: Tx, person: ConsoleStaff) -> Sequence[Store]:
    """Return the brand's stores that the person may look at. Raises RoleMissing for no role."""
    if READERS.isdisjoint(person.roles):
        raise RoleMissing
    stores = await list_stores(tx, brand_id=person.brand_id)
    return [store for store in stores if can_read(person, store.id)]


async def get_readable_store(tx: Tx, person: ConsoleStaff, store_id: UUID) -> Store:
    """Return a store the person may look at. Raises StoreNotFound, RoleMissing."""
    store = await get_store(tx, store_id, brand_id=person.brand_id)
    if not can_read(person, store_id):
        raise RoleMissing
    return store


async def get_managed_store(tx: Tx, person: ConsoleStaff, store_id: UUID) -> Store:
    """Return a store the person manages. Raises StoreNotFound, RoleMissing."""
    store = await get_store(tx, store_id, brand_id=person.brand_id)
    if not can_edit(person, store_id):
        raise RoleMissing
    return store


def page_of(store_id: UUID, part: str = "") -> str:
    """Return the address of a store's page."""
    return f"{PAGE}/{store_id}{part}"


async def head_of(tx: Tx, person: ConsoleStaff, store: Store, *, tab: str) -> StoreHead:
    """Return the head of a store's page."""
    readable = await list_readable_stores(tx, person)
    return StoreHead(
        store_id=store.id,
        name=store.name,
        city=store.city,
        timezone=store.timezone,
        tab=tab,
        can_edit=can_edit(person, store.id),
        has_others=len(readable) > 1,
    )
