"""What `stores` tells the other domains, through the outbox, after the commit."""

from typing import ClassVar

from o2o.kernel.events import Event
from o2o.kernel.ids import BrandId, StoreId


class StoreOpened(Event, frozen=True, kw_only=True):
    """A brand has a new place that serves."""

    name: ClassVar[str] = "store.opened"

    store_id: StoreId
    brand_id: BrandId


class StoreHoursSet(Event, frozen=True, kw_only=True):
    """A store serves at other hours from now on."""

    name: ClassVar[str] = "store.hours_set"

    store_id: StoreId
