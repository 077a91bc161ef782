"""Top up at the counter: money comes in, at a pad inside a visit, onto the member's card.

Set-based, for the coalescer. A key tops up without a visit: money only comes in.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from o2o.crm.statuses import Tender
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import APIKeyId, BrandId, MemberId, RequestId, StaffId, StoreId, VisitId
from o2o.ledger.actions.grant_points import GrantPoints, grant_points
from o2o.ledger.actions.top_up_stored_value import (
    TopUpStoredValue,
    Transferred,
    prepaid_limit_fen,
    top_up_stored_value,
)
from o2o.membership.actions.check_visits import Cleared, check_visits
from o2o.membership.errors_counter import PackageNotOffered
from o2o.membership.errors_programme import ProgrammeEnded
from o2o.membership.queries.packages import PackageFacts, list_package_facts
from o2o.membership.queries.programmes import get_programme, list_ended_brands
from o2o.membership.rules.points import points_expire_at
from o2o.membership.rules.request_ids import follows_from
from o2o.membership.scanners import AtPad, Scanner


class TopUpAtCounter(msgspec.Struct, frozen=True, kw_only=True):
    """Put `principal_fen` that was paid, and `bonus_fen` that is given, onto the card.

    With a package both amounts are the package's, whatever stands here, and its points come on top.
    """

    request_id: RequestId
    member_id: UUID
    principal_fen: int
    bonus_fen: int
    tender: Tender
    by: Scanner
    now: datetime
    visit_id: UUID | None = None
    code_hash: bytes | None = None
    package_id: UUID | None = None


async def top_up_at_counter(tx: Tx, commands: Sequence[TopUpAtCounter]) -> list[Transferred | Fact]:
    """Answer each top-up in order; sent again, it is answered from the books.

    Facts: those of check_visits and of top_up_stored_value, PackageNotOffered, ProgrammeEnded. The
    card of a named member may hold 5,000 yuan, of another one 1,000.
    """
    cleared = await check_visits(tx, commands, holds_members=True)
    packages = await list_package_facts(tx, {c.package_id for c in commands if c.package_id})
    ended = await list_ended_brands(tx, {one.member.brand_id for one in cleared if one.member})
    for command, clear in zip(commands, cleared, strict=True):
        if clear.refusal is None:
            clear.refusal = _ended_refusal(clear, ended) or _package_refusal(
                command, clear, packages
            )
    movable = [
        (command, clear)
        for command, clear in zip(commands, cleared, strict=True)
        if clear.refusal is None
    ]
    top_ups = [_top_up(c, clear, _package_of(c, packages)) for c, clear in movable]
    results = await top_up_stored_value(tx, top_ups) if top_ups else []
    await _grant_points(tx, movable, results, packages=packages)
    done = iter(results)
    return [clear.refusal or next(done) for clear in cleared]


def points_request_of(request_id: UUID) -> RequestId:
    """Name the intention of the points that come with a package, by that of its top-up."""
    return follows_from("package_points", request_id)


def _package_of(
    command: TopUpAtCounter, packages: Mapping[UUID, PackageFacts]
) -> PackageFacts | None:
    return packages.get(command.package_id) if command.package_id else None


def _ended_refusal(clear: Cleared, ended: Collection[UUID]) -> Fact | None:
    # What the books know already was paid in before the end.
    is_over = clear.member is not None and clear.member.brand_id in ended and not clear.is_known
    return ProgrammeEnded() if is_over else None


def _package_refusal(
    command: TopUpAtCounter, clear: Cleared, packages: Mapping[UUID, PackageFacts]
) -> Fact | None:
    if command.package_id is None:
        return None
    package = packages.get(command.package_id)
    assert clear.member is not None
    brand_id = clear.member.brand_id
    # What the books know already was on offer then.
    is_offered = package is not None and (
        clear.is_known
        or package.is_offered(brand_id=brand_id, store_id=command.by.store_id, now=command.now)
    )
    return None if is_offered else PackageNotOffered()


async def _grant_points(
    tx: Tx,
    movable: Sequence[tuple[TopUpAtCounter, Cleared]],
    results: Sequence[Transferred | Fact],
    *,
    packages: Mapping[UUID, PackageFacts],
) -> None:
    """Give the points of the packages that were just sold."""
    grants = []
    for (command, clear), result in zip(movable, results, strict=True):
        package = _package_of(command, packages)
        if isinstance(result, Fact) or result.is_replay or not package or not package.bonus_points:
            continue
        assert clear.member is not None
        assert clear.store is not None
        programme = await get_programme(tx, BrandId(clear.member.brand_id))
        grants.append(
            GrantPoints(
                request_id=points_request_of(command.request_id),
                member_id=MemberId(command.member_id),
                store_id=StoreId(command.by.store_id),
                points=package.bonus_points,
                expires_at=points_expire_at(
                    command.now,
                    valid_months=programme.points_valid_months,
                    timezone=clear.store.timezone,
                ),
                visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
                staff_id=StaffId(command.by.staff_id) if isinstance(command.by, AtPad) else None,
                now=command.now,
            )
        )
    for granted in await grant_points(tx, grants) if grants else ():
        # The member and the store were checked; a refusal here is a defect and undoes the top-up.
        if isinstance(granted, Fact):
            raise granted


def _top_up(
    command: TopUpAtCounter, clear: Cleared, package: PackageFacts | None
) -> TopUpStoredValue:
    by = command.by
    assert clear.member is not None
    return TopUpStoredValue(
        request_id=command.request_id,
        member_id=MemberId(command.member_id),
        store_id=StoreId(by.store_id),
        principal_fen=package.principal_fen if package else command.principal_fen,
        bonus_fen=package.bonus_fen if package else command.bonus_fen,
        tender=command.tender,
        balance_fen_max=prepaid_limit_fen(is_named=clear.member.is_named),
        visit_id=VisitId(clear.visit_id) if clear.visit_id else None,
        staff_id=StaffId(by.staff_id) if isinstance(by, AtPad) else None,
        api_key_id=None if isinstance(by, AtPad) else APIKeyId(by.key_id),
        now=command.now,
    )
