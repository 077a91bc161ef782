"""What can stand in the way when a brand, an account or a store is asked for."""

from typing import ClassVar
from uuid import UUID

from o2o.kernel.errors import Invalid, NotFound


class StoreNotFound(NotFound):
    """There is no such store, or not for the one who asks."""

    code: ClassVar[str] = "store.not_found"

    def __init__(self, *, store_id: UUID | None = None) -> None:
        """Keep which store was asked for."""
        super().__init__(field="store_id", store_id=str(store_id) if store_id else None)


class BrandNotFound(NotFound):
    """There is no such brand."""

    code: ClassVar[str] = "brand.not_found"


class StoreNotOfBrand(Invalid):
    """The store belongs to another brand than the member or the account."""

    code: ClassVar[str] = "store.not_of_brand"

    def __init__(self, *, store_id: UUID) -> None:
        """Keep which store was named."""
        super().__init__(field="store_id", store_id=str(store_id))


class HoursWrong(Invalid):
    """The hours cannot be kept: not times of day, or two spans that meet."""

    code: ClassVar[str] = "store.hours_wrong"

    def __init__(self, *, problem: str, field: str, day: str) -> None:
        """Keep what is wrong (`time`, `overlap`, `too_many`) and on which day."""
        super().__init__(field=field, problem=problem, day=day)
