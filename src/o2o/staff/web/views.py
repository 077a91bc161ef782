"""What the door pages show: the pad nobody signed in at yet, its people, the stores of the demo."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from o2o.crm.organisation import Brand
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.staff.queries import StaffView, list_staff
from o2o.stores.queries import get_brand, list_brands, list_stores
from o2o.web.queries.principals import EnrolledPad

# Who has pages at a pad so far; the kitchen will have a screen of its own.
AT_COUNTER = frozenset({StaffRoleName.CLERK, StaffRoleName.MANAGER})


class DoorFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds the door pages; without a pad there is no brand and no store yet."""

    brand_slug: str | None = None
    brand_name: str = ""
    store_name: str = ""
    pad_name: str = ""
    # Nobody is signed in here.
    clerk_name: str = ""


class PersonButton(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in at this pad."""

    staff_id: UUID
    login: str
    name: str
    # The word for what the person does here, a key of the copy.
    role: str
    is_locked: bool
    # The demo tells the PIN.
    demo_pin: str | None


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A store of the demo that this browser may become a pad of."""

    store_id: UUID
    name: str
    city: str


class BrandChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A brand of the demo with the stores in which somebody works at a pad."""

    name: str
    stores: list[StoreChoice]


async def door_frame(tx: Tx, pad: EnrolledPad) -> DoorFrame:
    """Return the frame of a pad's lock screen."""
    brand = await get_brand(tx, pad.brand_id)
    return DoorFrame(
        brand_slug=brand.slug,
        brand_name=brand.name,
        store_name=pad.store_name,
        pad_name=pad.name,
    )


async def people_of(
    tx: Tx, pad: EnrolledPad, *, demo_pins: Mapping[str, str]
) -> list[PersonButton]:
    """Return who may sign in at a pad: clerks first, then managers."""
    people = [
        PersonButton(
            staff_id=person.staff_id,
            login=person.login,
            name=person.name,
            role=role.value,
            is_locked=person.is_pin_locked,
            demo_pin=demo_pins.get(person.login),
        )
        for person in await list_staff(tx, brand_id=pad.brand_id)
        if (role := _role_in(person, pad.store_id)) is not None
    ]
    return sorted(people, key=lambda person: (person.role, person.name))


def _role_in(person: StaffView, store_id: UUID) -> StaffRoleName | None:
    if person.is_disabled:
        return None
    here = [
        role
        for role, stores in person.roles.items()
        if role in AT_COUNTER and (stores is None or store_id in stores)
    ]
    return min(here, default=None)


async def demo_choices(tx: Tx) -> list[BrandChoice]:
    """Return the demo's stores by brand, only those where somebody can sign in at a pad."""
    choices = []
    for brand in await list_brands(tx):
        stores = await _manned_stores(tx, brand)
        if stores:
            choices.append(BrandChoice(name=brand.name, stores=stores))
    return choices


async def _manned_stores(tx: Tx, brand: Brand) -> list[StoreChoice]:
    people = [p for p in await list_staff(tx, brand_id=brand.id) if not p.is_disabled]
    return [
        StoreChoice(store_id=store.id, name=store.name, city=store.city)
        for store in await list_stores(tx, brand_id=brand.id)
        if _is_manned(people, store.id)
    ]


def _is_manned(people: Iterable[StaffView], store_id: UUID) -> bool:
    # A clerk or somebody named for this store; whoever has the whole brand has it anyway.
    return any(_role_in(person, store_id) is StaffRoleName.CLERK for person in people)
