"""Who is asking: a diner, a clerk at a pad, a person at the console, or an API key."""

from uuid import UUID

import msgspec

from o2o.crm.statuses import StaffRoleName


class BrandFace(msgspec.Struct, frozen=True):
    """How a brand is called and dressed, and the terms that hold now."""

    slug: str
    name: str
    name_en: str
    terms_version: str


class Diner(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever holds the phone, member or not; known by openid in one official account."""

    fan_id: UUID
    openid: str
    account_id: UUID
    account_slug: str
    account_name: str
    brand_id: UUID
    brand: BrandFace
    member_id: UUID | None
    is_snapshot: bool
    session_hash: bytes


class Clerk(msgspec.Struct, frozen=True, kw_only=True):
    """A staff member signed in at an enrolled pad; acts in the pad's store only."""

    staff_id: UUID
    name: str
    roles: frozenset[StaffRoleName]
    pad_id: UUID
    store_id: UUID
    store_name: str
    brand_id: UUID
    session_hash: bytes


class ConsoleStaff(msgspec.Struct, frozen=True, kw_only=True):
    """A staff member signed in at the console; `store_ids` is empty for the whole brand."""

    staff_id: UUID
    name: str
    brand_id: UUID
    brand: BrandFace
    # Role → stores it covers; None covers every store of the brand.
    roles: dict[StaffRoleName, frozenset[UUID] | None]
    session_hash: bytes

    def covers(self, role: StaffRoleName, store_id: UUID) -> bool:
        """Whether the person has this role in this store."""
        stores = self.roles.get(role, frozenset())
        return stores is None or store_id in stores


class APIClient(msgspec.Struct, frozen=True, kw_only=True):
    """A system that holds a key; without a brand it speaks for the whole group."""

    key_id: UUID
    name: str
    brand_id: UUID | None
    scopes: frozenset[str]
    unattended_debit_fen_max: int
