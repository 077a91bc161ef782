"""Edit the top-up packages of a brand: offer, change as a new version, withdraw, put in order.

A package that was sold stays as it was sold: a change withdraws it and offers another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from o2o.crm.programmes import TopUpPackage
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId, new_id
from o2o.membership.actions.check_roles import check_brand_role
from o2o.membership.actions.set_programme import EDITORS, note_change, take_turn
from o2o.membership.errors_programme import PackageGone, PackageWrong
from o2o.membership.queries.programmes import PACKAGES_MAX, find_brand_package
from o2o.membership.rules.programme import PackageDraft, check_package
from o2o.stores.queries import get_store


class PackageEdit(msgspec.Struct, frozen=True, kw_only=True):
    """Who edits which brand's packages, having seen which version."""

    brand_id: BrandId
    version: int
    staff_id: UUID
    now: datetime


async def offer_package(tx: Tx, draft: PackageDraft, *, edit: PackageEdit) -> UUID:
    """Offer a new package, last in order.

    Raises RoleMissing, PackageWrong, StoreNotFound, ProgrammeChangedMeanwhile.
    """
    await _check(tx, edit, draft=draft)
    offered = await _list_offered(tx, edit.brand_id)
    if len(offered) >= PACKAGES_MAX:
        raise PackageWrong(problem="count", field="name")
    await _take_turn(tx, edit)
    position = max((package.position for package in offered), default=-1) + 1
    return await _insert(tx, draft, edit=edit, position=position, replaces=None)


async def change_package(
    tx: Tx, package_id: UUID, draft: PackageDraft, *, edit: PackageEdit
) -> UUID:
    """Replace a package by a new version in its place. Raises PackageGone and offer_package's."""
    await _check(tx, edit, draft=draft, package_id=package_id)
    await _take_turn(tx, edit)
    before = await _withdraw(tx, package_id, edit=edit)
    return await _insert(tx, draft, edit=edit, position=before.position, replaces=before)


async def withdraw_package(tx: Tx, package_id: UUID, *, edit: PackageEdit) -> None:
    """Offer a package no more. Raises RoleMissing, PackageGone, ProgrammeChangedMeanwhile."""
    await _check(tx, edit, package_id=package_id)
    await _take_turn(tx, edit)
    before = await _withdraw(tx, package_id, edit=edit)
    await note_change(
        tx,
        "package.withdrawn",
        brand_id=edit.brand_id,
        staff_id=edit.staff_id,
        now=edit.now,
        before=_facts(before),
    )


async def move_package(tx: Tx, package_id: UUID, *, places: int, edit: PackageEdit) -> None:
    """Move a package by so many places, up when negative; at the ends it stays.

    Raises RoleMissing, PackageGone, ProgrammeChangedMeanwhile.
    """
    await _check(tx, edit, package_id=package_id)
    await _take_turn(tx, edit)
    ids = [package.id for package in await _list_offered(tx, edit.brand_id)]
    before = list(ids)
    ids.remove(package_id)
    ids.insert(max(before.index(package_id) + places, 0), package_id)
    for position, one in enumerate(ids):
        await tx.execute(
            update(TopUpPackage).where(TopUpPackage.id == one).values(position=position)
        )
    await note_change(
        tx,
        "packages.reordered",
        brand_id=edit.brand_id,
        staff_id=edit.staff_id,
        now=edit.now,
        before=before,
        after=ids,
    )


async def _check(
    tx: Tx,
    edit: PackageEdit,
    *,
    draft: PackageDraft | None = None,
    package_id: UUID | None = None,
) -> None:
    """Check everything that can be wrong before anything is written."""
    await check_brand_role(tx, staff_id=edit.staff_id, brand_id=edit.brand_id, roles=EDITORS)
    if draft is not None:
        check_package(draft)
        if draft.store_id is not None:
            await get_store(tx, draft.store_id, brand_id=edit.brand_id)
    if package_id is not None and not await find_brand_package(
        tx, package_id, brand_id=edit.brand_id
    ):
        raise PackageGone


async def _take_turn(tx: Tx, edit: PackageEdit) -> None:
    # Last of what can refuse. Every change of packages counts, so what was checked still holds.
    await take_turn(tx, brand_id=edit.brand_id, version=edit.version, now=edit.now)


async def _list_offered(tx: Tx, brand_id: UUID) -> Sequence[TopUpPackage]:
    return (
        await tx.scalars(
            select(TopUpPackage)
            .where(TopUpPackage.brand_id == brand_id, TopUpPackage.withdrawn_at.is_(None))
            .order_by(TopUpPackage.position, TopUpPackage.principal_fen, TopUpPackage.id)
            .limit(PACKAGES_MAX)
        )
    ).all()


async def _withdraw(tx: Tx, package_id: UUID, *, edit: PackageEdit) -> TopUpPackage:
    withdrawn: TopUpPackage | None = await tx.scalar(
        update(TopUpPackage)
        .where(
            TopUpPackage.id == package_id,
            TopUpPackage.brand_id == edit.brand_id,
            TopUpPackage.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=edit.now)
        .returning(TopUpPackage)
    )
    if withdrawn is None:
        raise PackageGone
    return withdrawn


async def _insert(
    tx: Tx,
    draft: PackageDraft,
    *,
    edit: PackageEdit,
    position: int,
    replaces: TopUpPackage | None,
) -> UUID:
    package_id = new_id()
    values = msgspec.structs.asdict(draft)
    await tx.execute(
        insert(TopUpPackage).values(
            id=package_id,
            brand_id=edit.brand_id,
            position=position,
            replaces_id=replaces.id if replaces else None,
            created_at=edit.now,
            **values,
        )
    )
    await note_change(
        tx,
        "package.changed" if replaces else "package.offered",
        brand_id=edit.brand_id,
        staff_id=edit.staff_id,
        now=edit.now,
        before=_facts(replaces) if replaces else None,
        after=values,
    )
    return package_id


def _facts(package: TopUpPackage) -> dict[str, Any]:
    return {name: getattr(package, name) for name in PackageDraft.__struct_fields__}
