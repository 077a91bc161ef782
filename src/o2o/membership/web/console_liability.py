"""The console's report of unspent stored value: what stores owe day by day, as page and CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Redirect

from o2o.crm.organisation import Store
from o2o.crm.statuses import StaffRoleName
from o2o.infra.aside import compute_aside
from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.kernel.ids import BrandId
from o2o.kernel.money import format_yuan
from o2o.ledger.queries.liability import (
    LiabilityMovement,
    list_liability,
    sum_held_by_members,
)
from o2o.membership.liability_report import (
    LiabilityRow,
    row_of,
    rows_by_day,
    rows_by_owner,
    rows_by_owner_and_day,
)
from o2o.membership.rules.export_files import csv_cell
from o2o.membership.statements_export import period as periods
from o2o.membership.statements_export.period import Period
from o2o.stores.queries import list_stores
from o2o.web.console_frame import show_console
from o2o.web.console_menu import ConsoleMenu
from o2o.web.errors import RoleMissing
from o2o.web.guards import console_guard
from o2o.web.language import language_of
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/liability"
SLOT = "liability"
# Who answers for money, in the stores of the role.
ROLES = frozenset({StaffRoleName.FINANCE, StaffRoleName.MANAGER, StaffRoleName.AUDITOR})
COLUMNS = ("opening", "topped_up", "spent", "refunded", "other", "closing")
_MARK = "\ufeff"

Day = Annotated[str, QueryParameter(max_length=32)]
StoreChoice = Annotated[str, QueryParameter(max_length=36)]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may see: the stores of the roles that answer for money."""

    stores: Mapping[UUID, Store]
    brand_id: BrandId
    is_whole_brand: bool

    def owner_ids(self, chosen: UUID | None) -> list[UUID] | None:
        """Return whom to ask the books for; None is all of the brand."""
        if chosen is not None:
            return [chosen]
        return None if self.is_whole_brand else list(self.stores)


class StoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """One store in the report. Without a store: value that none of them sold."""

    store_id: UUID | None
    name: str
    city: str
    row: LiabilityRow


class LiabilityPage(msgspec.Struct, frozen=True, kw_only=True):
    """The choice and the report."""

    columns: Sequence[str]
    stores: Sequence[Store]
    chosen: str
    from_text: str
    to_text: str
    presets: list[tuple[str, str, str, bool]]
    # A key of `statement.page`, or empty.
    fault: str
    total: LiabilityRow | None = None
    lines: list[StoreLine] = msgspec.field(default_factory=list)
    days: list[tuple[date, LiabilityRow]] = msgspec.field(default_factory=list)
    # What the cards hold by the accounts; only where the report reaches to now and covers all.
    held_fen: int | None = None


class ConsoleLiability(Controller):
    """`/console/liability`."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def show_report(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
        from_day: Day = "",
        to_day: Day = "",
        store: StoreChoice = "",
    ) -> Response[Any]:
        """Show what is owed by store and by day. Raises RoleMissing, also for others' stores."""
        scope = await _scope(tx, console_staff)
        chosen = _chosen(scope, store)
        today = periods.today(platform.clock.now())
        asked = _asked(from_day, to_day, today=today)
        page = _page(scope, store, asked, typed=(from_day, to_day), today=today)
        if isinstance(asked, Period):
            page = await _with_report(tx, page, scope, chosen, asked, platform, request)
        return show_console(
            request,
            console_staff,
            "console/liability.html",
            page=SLOT,
            status=422 if page.fault else 200,
            view=page,
        )

    @get("/file")
    async def send_file(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
        from_day: Day = "",
        to_day: Day = "",
        store: StoreChoice = "",
    ) -> Response[Any]:
        """Send each day of each store as CSV. Raises RoleMissing, also for others' stores."""
        now = platform.clock.now()
        asked = _asked(from_day, to_day, today=periods.today(now))
        if not isinstance(asked, Period):
            # The page says what is wrong with the days.
            query = urlencode({"store": store, "from_day": from_day, "to_day": to_day})
            return Redirect(f"{PAGE}?{query}", status_code=303)
        scope = await _scope(tx, console_staff)
        chosen = _chosen(scope, store)
        movements = await _movements(tx, scope, chosen, asked)
        await note(
            tx,
            actor=Actor("staff", console_staff.staff_id),
            action="liability.downloaded",
            at=now,
            store_id=chosen,
            from_day=asked.from_day.isoformat(),
            to_day=asked.to_day.isoformat(),
        )
        content = await compute_aside(_csv, movements, scope, asked, platform, language_of(request))
        name = f"liability-{asked.from_day:%Y%m%d}-{asked.to_day:%Y%m%d}.csv"
        return Response(
            content,
            media_type="text/csv",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )


async def _scope(tx: Tx, staff: ConsoleStaff) -> Scope:
    covered = [stores for role, stores in staff.roles.items() if role in ROLES]
    if not covered:
        raise RoleMissing
    is_whole = any(stores is None for stores in covered)
    wanted = None if is_whole else {one for stores in covered if stores for one in stores}
    found = await list_stores(
        tx, brand_id=staff.brand_id, store_ids=None if wanted is None else sorted(wanted)
    )
    return Scope(
        stores={store.id: store for store in found},
        brand_id=BrandId(staff.brand_id),
        is_whole_brand=is_whole,
    )


def _chosen(scope: Scope, text: str) -> UUID | None:
    if not text:
        return None
    try:
        chosen = UUID(text)
    except ValueError as error:
        raise RoleMissing from error
    if chosen not in scope.stores:
        raise RoleMissing
    return chosen


def _asked(from_day: str, to_day: str, *, today: date) -> Period | str:
    if not from_day and not to_day:
        return periods.presets(today)["this_month"]
    return periods.read_period(from_day, to_day)


def _page(
    scope: Scope, chosen: str, asked: Period | str, *, typed: tuple[str, str], today: date
) -> LiabilityPage:
    fault = asked if isinstance(asked, str) else ""
    if isinstance(asked, Period):
        typed = (asked.from_day.isoformat(), asked.to_day.isoformat())
    return LiabilityPage(
        columns=COLUMNS,
        stores=list(scope.stores.values()),
        chosen=chosen,
        from_text=typed[0],
        to_text=typed[1],
        presets=[
            (name, one.from_day.isoformat(), one.to_day.isoformat(), one == asked)
            for name, one in periods.presets(today).items()
        ],
        fault=fault,
    )


async def _movements(
    tx: Tx, scope: Scope, chosen: UUID | None, asked: Period
) -> list[LiabilityMovement]:
    return await list_liability(
        tx,
        brand_id=scope.brand_id,
        from_day=asked.from_day,
        until_day=asked.to_day + timedelta(days=1),
        owner_ids=scope.owner_ids(chosen),
    )


async def _with_report(
    tx: Tx,
    page: LiabilityPage,
    scope: Scope,
    chosen: UUID | None,
    asked: Period,
    platform: Platform,
    request: AnyRequest,
) -> LiabilityPage:
    # Before the report: what happens between the two is in the report and not in this.
    held_fen = None
    is_all = scope.is_whole_brand and chosen is None
    if is_all and asked.to_day >= periods.today(platform.clock.now()):
        held_fen = await sum_held_by_members(tx, scope.brand_id)
    movements = await _movements(tx, scope, chosen, asked)
    nobody = platform.words.text("liability.no_store", language_of(request))
    rows = rows_by_owner(movements)
    shown = [scope.stores[chosen]] if chosen else list(scope.stores.values())
    lines = [
        StoreLine(
            store_id=store.id,
            name=store.name,
            city=store.city,
            row=rows.get(store.id) or row_of(()),
        )
        for store in shown
    ]
    if (rest := rows.get(scope.brand_id)) is not None:
        lines.append(StoreLine(store_id=None, name=nobody, city="", row=rest))
    return msgspec.structs.replace(
        page,
        total=row_of(movements),
        lines=lines,
        days=list(
            reversed(
                rows_by_day(
                    movements,
                    from_day=asked.from_day,
                    until_day=asked.to_day + timedelta(days=1),
                )
            )
        ),
        held_fen=held_fen,
    )


def _csv(
    movements: Sequence[LiabilityMovement],
    scope: Scope,
    asked: Period,
    platform: Platform,
    language: str,
) -> bytes:
    words = platform.words

    def said(key: str) -> str:
        return words.text(f"liability.{key}", language)

    parts = ("principal", "bonus")
    written = io.StringIO()
    writer = csv.writer(written)
    head = [said("store"), said("city"), said("day")]
    head += [f"{said(column)} {said(part)}" for column in COLUMNS for part in parts]
    writer.writerow([csv_cell(cell) for cell in head])
    rows = rows_by_owner_and_day(
        movements, from_day=asked.from_day, until_day=asked.to_day + timedelta(days=1)
    )
    for owner_id, day, row in rows:
        store = scope.stores.get(owner_id)
        place = [store.name, store.city] if store else [said("no_store"), ""]
        figures = [
            format_yuan(amount).replace(",", "")
            for column in COLUMNS
            for amount in (getattr(row, column).principal_fen, getattr(row, column).bonus_fen)
        ]
        writer.writerow([*(csv_cell(cell) for cell in place), day.isoformat(), *figures])
    return (_MARK + written.getvalue()).encode()


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the report to the console's menu."""
    menu.add(slot=SLOT, href=PAGE, label="liability.menu", roles=ROLES, icon="reports", order=700)


route_handlers = [ConsoleLiability]
