"""The console's pages of top-up packages: the list in order, one being written, its effect."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.crm.programmes import TopUpPackage
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId
from o2o.membership.actions.edit_packages import (
    PackageEdit,
    change_package,
    move_package,
    offer_package,
    withdraw_package,
)
from o2o.membership.errors_programme import PackageGone, PackageWrong
from o2o.membership.queries.effects import PackageEffect, get_package_effect
from o2o.membership.queries.endings import get_liability
from o2o.membership.queries.programmes import (
    find_brand_package,
    get_programme,
    list_brand_packages,
)
from o2o.membership.rules.programme import CARD_FEN_MAX, PackageDraft, check_package
from o2o.membership.web.programme_forms import read_package, read_whole
from o2o.membership.web.programme_views import (
    READERS,
    PackagePage,
    PackagesPage,
    StoreOption,
    check_reader,
    empty_package,
    has_brand_role,
    package_rows,
    package_values,
    typed_package,
)
from o2o.stores.queries import list_stores
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.errors import RoleMissing
from o2o.web.forms import fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/programme/packages"
DONE = frozenset({"offered", "changed", "withdrawn"})
PLACES = {"up": -1, "down": 1}


class ConsolePackages(Controller):
    """`/console/programme/packages`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def list_all(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what is offered and what was withdrawn lately."""
        return await _list_page(request, tx, console_staff, platform=platform)

    @get("/new")
    async def write_new(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show an empty package."""
        return await _package_page(request, tx, console_staff, platform=platform, before=None)

    @get("/{package_id:uuid}")
    async def write(
        self,
        request: AnyRequest,
        package_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show a package to be changed. Raises PackageGone."""
        before = await _get(tx, console_staff, package_id)
        return await _package_page(request, tx, console_staff, platform=platform, before=before)

    @post("/preview", status_code=200)
    async def preview_new(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what the typed package would have given; nothing is saved."""
        form = dict(await request.form())
        return await _package_page(
            request, tx, console_staff, platform=platform, before=None, form=form
        )

    @post("/{package_id:uuid}/preview", status_code=200)
    async def preview_change(
        self,
        request: AnyRequest,
        package_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Show what the typed version would have given. Raises PackageGone."""
        before = await _get(tx, console_staff, package_id)
        form = dict(await request.form())
        return await _package_page(
            request, tx, console_staff, platform=platform, before=before, form=form
        )

    @post("/")
    async def offer(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Offer the typed package. Raises what offer_package raises."""
        return await _save(request, tx, console_staff, platform=platform, before=None)

    @post("/{package_id:uuid}")
    async def change(
        self,
        request: AnyRequest,
        package_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Offer the typed version in the place of the old one. Raises change_package's."""
        before = await _get(tx, console_staff, package_id)
        return await _save(request, tx, console_staff, platform=platform, before=before)

    @post("/{package_id:uuid}/withdrawals")
    async def withdraw(
        self,
        request: AnyRequest,
        package_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Offer a package no more. Raises what withdraw_package raises."""
        edit = _edit(console_staff, dict(await request.form()), platform=platform)
        await withdraw_package(tx, package_id, edit=edit)
        return go_on(request, f"{PAGE}?done=withdrawn")

    @post("/{package_id:uuid}/moves/{direction:str}")
    async def move(
        self,
        request: AnyRequest,
        package_id: FromPath[UUID],
        direction: FromPath[str],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Move a package up or down. Raises what move_package raises."""
        if direction not in PLACES:
            raise PackageWrong(problem="direction", field="direction")
        edit = _edit(console_staff, dict(await request.form()), platform=platform)
        await move_package(tx, package_id, places=PLACES[direction], edit=edit)
        return go_on(request, PAGE)


async def _save(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    platform: Platform,
    before: TopUpPackage | None,
) -> Response[Any]:
    form = dict(await request.form())
    try:
        draft = read_package(form)
        edit = _edit(person, form, platform=platform)
        if before is None:
            await offer_package(tx, draft, edit=edit)
        else:
            await change_package(tx, before.id, draft, edit=edit)
    except Fact as fact:
        if is_for_program(request):
            raise
        return await _package_page(
            request, tx, person, platform=platform, before=before, form=form, fact=fact
        )
    return go_on(request, f"{PAGE}?done={'changed' if before else 'offered'}")


def _edit(person: ConsoleStaff, form: dict[str, Any], *, platform: Platform) -> PackageEdit:
    return PackageEdit(
        brand_id=BrandId(person.brand_id),
        version=read_whole(form, "version"),
        staff_id=person.staff_id,
        now=platform.clock.now(),
    )


async def _get(tx: Tx, person: ConsoleStaff, package_id: UUID) -> TopUpPackage:
    found = await find_brand_package(tx, package_id, brand_id=BrandId(person.brand_id))
    if found is None:
        raise PackageGone
    return found


async def _list_page(
    request: AnyRequest, tx: Tx, person: ConsoleStaff, *, platform: Platform
) -> Response[Any]:
    check_reader(person, READERS)
    brand_id = BrandId(person.brand_id)
    rules = await get_programme(tx, brand_id)
    stores = {store.id: store.name for store in await list_stores(tx, brand_id=brand_id)}
    offered = await list_brand_packages(tx, brand_id, is_withdrawn=False)
    withdrawn = await list_brand_packages(tx, brand_id, is_withdrawn=True)
    now = platform.clock.now()
    done = request.query_params.get("done")
    view = PackagesPage(
        version=rules.version,
        offered=package_rows(offered, stores=stores, now=now),
        withdrawn=package_rows(withdrawn, stores=stores, now=now),
        can_edit=has_brand_role(person, StaffRoleName.MARKETER) and rules.ended_at is None,
        done=done if done in DONE else None,
    )
    return show_console(
        request, person, "console/programme_packages.html", page="programme", view=view
    )


async def _package_page(
    request: AnyRequest,
    tx: Tx,
    person: ConsoleStaff,
    *,
    platform: Platform,
    before: TopUpPackage | None,
    form: dict[str, Any] | None = None,
    fact: Fact | None = None,
) -> Response[Any]:
    if not has_brand_role(person, StaffRoleName.MARKETER):
        raise RoleMissing
    brand_id = BrandId(person.brand_id)
    effect = None
    if form is not None and fact is None:
        try:
            draft = read_package(form)
            check_package(draft)
            effect = await _effect(tx, brand_id, draft, before=before, platform=platform)
        except Fact as wrong:
            if is_for_program(request):
                raise
            fact = wrong
    values = package_values(before) if before else empty_package()
    view = PackagePage(
        version=(await get_programme(tx, brand_id)).version,
        package_id=before.id if before else None,
        values=typed_package(form) if form is not None else values,
        stores=[
            StoreOption(str(store.id), store.name)
            for store in await list_stores(tx, brand_id=brand_id)
        ],
        effect=effect,
        liability=await get_liability(tx, brand_id) if effect else None,
        fault=fault_of(request, fact) if fact else None,
    )
    return show_console(
        request,
        person,
        "console/programme_package.html",
        page="programme",
        status=fact.status if fact else 200,
        view=view,
    )


async def _effect(
    tx: Tx,
    brand_id: BrandId,
    draft: PackageDraft,
    *,
    before: TopUpPackage | None,
    platform: Platform,
) -> PackageEffect:
    """Of a change: top-ups like the one before; of a new one: those large enough for it."""
    return await get_package_effect(
        tx,
        brand_id,
        least_fen=before.principal_fen if before else draft.principal_fen,
        greatest_fen=before.principal_fen if before else CARD_FEN_MAX,
        store_id=draft.store_id,
        bonus_fen=draft.bonus_fen,
        bonus_points=draft.bonus_points,
        now=platform.clock.now(),
    )


route_handlers: list[Any] = [ConsolePackages]
