"""What the console's pages of a programme show: typed values, who may edit, what is not saved."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from o2o.crm.organisation import Tier
from o2o.crm.programmes import TopUpPackage
from o2o.crm.statuses import StaffRoleName
from o2o.membership.queries.effects import PackageEffect, PointsEffect, TiersEffect
from o2o.membership.queries.endings import EndingView, Liability
from o2o.membership.queries.programmes import ProgrammeRules
from o2o.membership.rules.programme import MULTIPLIER_BP_MIN
from o2o.membership.web.programme_forms import (
    HUNDREDTHS_BP,
    PACKAGE_FIELDS,
    RULE_FIELDS,
    TIER_FIELDS,
    ZONE,
    Form,
    plain,
    plain_yuan,
    typed,
)
from o2o.web.errors import RoleMissing
from o2o.web.forms import Fault
from o2o.web.principals import ConsoleStaff

READERS = frozenset(
    {
        StaffRoleName.MARKETER,
        StaffRoleName.MANAGER,
        StaffRoleName.FINANCE,
        StaffRoleName.AUDITOR,
    }
)

Values = Mapping[str, str]


def check_reader(person: ConsoleStaff, roles: frozenset[StaffRoleName]) -> None:
    """Raise RoleMissing for somebody who has no use for the page."""
    if roles.isdisjoint(person.roles):
        raise RoleMissing


def has_brand_role(person: ConsoleStaff, *roles: StaffRoleName) -> bool:
    """Whether the person has one of the roles in every store of the brand."""
    return any(person.roles.get(role, frozenset()) is None for role in roles)


class RulesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The rules as saved or as typed; with an effect they are ready to be saved."""

    tab: str = "rules"
    version: int
    values: Values
    can_edit: bool
    can_propose_end: bool
    can_decide_end: bool
    is_proposer: bool
    ended: bool
    ending: EndingView | None
    liability: Liability
    request_id: UUID
    effect: PointsEffect | None = None
    fault: Fault | None = None
    done: str | None = None


class TiersPage(msgspec.Struct, frozen=True, kw_only=True):
    """The tiers as saved or as typed, and room for one more."""

    tab: str = "tiers"
    version: int
    tiers: list[Values]
    can_edit: bool
    can_give: bool
    effect: TiersEffect | None = None
    fault: Fault | None = None
    done: str | None = None


class PackageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A package in the list."""

    package_id: UUID
    name: str
    principal_fen: int
    bonus_fen: int
    bonus_points: int
    store_name: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    is_over: bool

    @property
    def last_moment(self) -> datetime | None:
        """When the last day of the offer is; the end itself is exclusive."""
        return self.ends_at - timedelta(seconds=1) if self.ends_at else None


class PackagesPage(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered, in order, and what was withdrawn lately."""

    tab: str = "packages"
    version: int
    offered: list[PackageRow]
    withdrawn: list[PackageRow]
    can_edit: bool
    fault: Fault | None = None
    done: str | None = None


class StoreOption(msgspec.Struct, frozen=True):
    """A store to choose."""

    store_id: str
    name: str


class PackagePage(msgspec.Struct, frozen=True, kw_only=True):
    """One package being written; without an id it is new."""

    tab: str = "packages"
    version: int
    package_id: UUID | None
    values: Values
    stores: list[StoreOption]
    effect: PackageEffect | None = None
    liability: Liability | None = None
    fault: Fault | None = None


def rule_values(rules: ProgrammeRules) -> Values:
    """Write the rules as their fields hold them."""
    return {
        "draw_order": rules.draw_order.value,
        "points_per_yuan": plain(rules.points_per_yuan),
        "points_valid_months": plain(rules.points_valid_months),
        "joining_points": plain(rules.joining_points),
        "visit_points": plain(rules.visit_points),
        "no_pin_yuan": plain_yuan(rules.no_pin_fen_max),
        "no_pin_daily_yuan": plain_yuan(rules.no_pin_daily_fen_max),
    }


def typed_rules(form: Form) -> Values:
    """Return the rules as they were typed."""
    return {name: typed(form, name) for name in RULE_FIELDS}


def tier_values(tier: Tier) -> Values:
    """Write a tier as its fields hold it."""
    return {
        "tier_id": str(tier.id),
        "name": tier.name,
        "spend_yuan": plain_yuan(tier.spend_from_fen),
        "visits_from": plain(tier.visits_from),
        "price_yuan": plain_yuan(tier.price_fen),
        "discount_percent": plain_yuan(tier.discount_bp),
        "multiplier": plain_yuan(tier.points_multiplier_bp // HUNDREDTHS_BP),
        "birthday_points": plain(tier.birthday_points),
        "valid_months": plain(tier.valid_months),
        "grace_days": plain(tier.grace_days),
    }


def new_tier_values() -> Values:
    """Write the fields of a tier that is not there yet."""
    return dict.fromkeys(TIER_FIELDS, "") | {
        "discount_percent": "0",
        "multiplier": plain_yuan(MULTIPLIER_BP_MIN // HUNDREDTHS_BP),
        "birthday_points": "0",
        "valid_months": "12",
        "grace_days": "30",
    }


def typed_tiers(form: Form, *, most: int) -> list[Values]:
    """Return the tiers as they were typed."""
    return [
        {name: typed(form, f"{name}_{index}") for name in TIER_FIELDS}
        for index in range(most)
        if f"name_{index}" in form
    ]


def package_values(package: TopUpPackage) -> Values:
    """Write a package as its fields hold it; the end is its last day."""
    return {
        "name": package.name,
        "principal_yuan": plain_yuan(package.principal_fen),
        "bonus_yuan": plain_yuan(package.bonus_fen),
        "bonus_points": plain(package.bonus_points),
        "store_id": str(package.store_id or ""),
        "starts_on": _day(package.starts_at),
        "ends_on": _day(package.ends_at, is_end=True),
    }


def typed_package(form: Form) -> Values:
    """Return a package as it was typed."""
    return {name: typed(form, name) for name in PACKAGE_FIELDS}


def empty_package() -> Values:
    """Write the fields of a package that is not there yet."""
    return dict.fromkeys(PACKAGE_FIELDS, "") | {"bonus_yuan": "0", "bonus_points": "0"}


def _day(moment: datetime | None, *, is_end: bool = False) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(ZONE)
    return str((local - timedelta(seconds=1) if is_end else local).date())


def package_rows(
    packages: Sequence[TopUpPackage], *, stores: Mapping[UUID, str], now: datetime
) -> list[PackageRow]:
    """Return packages as the list shows them."""
    return [
        PackageRow(
            package_id=package.id,
            name=package.name,
            principal_fen=package.principal_fen,
            bonus_fen=package.bonus_fen,
            bonus_points=package.bonus_points,
            store_name=stores.get(package.store_id) if package.store_id else None,
            starts_at=package.starts_at,
            ends_at=package.ends_at,
            is_over=package.ends_at is not None and package.ends_at <= now,
        )
        for package in packages
    ]
