"""What the console shows of imports: to whom which, who may confirm, totals only to who may not."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from o2o.crm.statuses import ImportKind, ImportStatus, StaffRoleName
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.membership.errors_imports import ImportNotFound
from o2o.membership.imports.reports import fault_text, form_text
from o2o.membership.queries.imports import (
    PROPOSERS,
    ImportView,
    covered_stores,
    get_import,
    list_faults,
    list_imports,
)
from o2o.stores.queries import list_stores
from o2o.web.console_frame import show_console
from o2o.web.forms import fault_of
from o2o.web.language import language_of
from o2o.web.platform import platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
SLOT = "imports"
FAULTS_SHOWN = 50
SEES_ALL = frozenset({StaffRoleName.FINANCE, StaffRoleName.AUDITOR})


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A store that rows without one may go to."""

    store_id: UUID
    name: str
    city: str


class Powers(msgspec.Struct, frozen=True, kw_only=True):
    """What the person may do to an import."""

    confirms: bool
    withdraws: bool
    # Who confirms brings the totals from the books, and is not shown them before.
    sees_totals: bool


def may_propose(staff: ConsoleStaff) -> bool:
    """Whether the person may upload files."""
    return bool(PROPOSERS & staff.roles.keys())


def _sees(staff: ConsoleStaff, one: ImportView) -> bool:
    """Whoever works for the whole brand sees all of it; a store's manager the own files."""
    is_for_all = bool(SEES_ALL & staff.roles.keys()) or covered_stores(staff.roles) is None
    return is_for_all or one.uploaded_by == staff.staff_id


def _powers(staff: ConsoleStaff, one: ImportView) -> Powers:
    is_finance = StaffRoleName.FINANCE in staff.roles
    is_own = one.uploaded_by == staff.staff_id
    is_checked = one.status is ImportStatus.CHECKED
    if one.kind is ImportKind.CARDS:
        confirms = is_finance and not is_own
    else:
        confirms = is_finance or may_propose(staff)
    is_open = one.status in {ImportStatus.CHECKED, ImportStatus.UPLOADED}
    return Powers(
        confirms=confirms and is_checked and one.good_count > 0,
        withdraws=is_open and (is_own or is_finance),
        sees_totals=not (confirms and is_checked and one.kind is ImportKind.CARDS),
    )


async def show_imports(request: AnyRequest, tx: Tx, staff: ConsoleStaff) -> Response[str]:
    """Show the list."""
    sees_all = bool(SEES_ALL & staff.roles.keys()) or covered_stores(staff.roles) is None
    imports = await list_imports(
        tx, brand_id=staff.brand_id, uploaded_by=None if sees_all else staff.staff_id
    )
    return show_console(
        request,
        staff,
        "console/imports.html",
        page=SLOT,
        imports=imports,
        stores=await _stores(tx, staff),
        proposes=may_propose(staff),
        limit_mb=platform_of(request).settings.import_bytes_max // 1_000_000,
    )


async def _stores(tx: Tx, staff: ConsoleStaff) -> list[StoreChoice]:
    covered = covered_stores(staff.roles)
    return [
        StoreChoice(store_id=store.id, name=store.name, city=store.city)
        for store in await list_stores(tx, brand_id=staff.brand_id)
        if covered is None or store.id in covered
    ]


async def show_import(
    request: AnyRequest,
    tx: Tx,
    staff: ConsoleStaff,
    *,
    import_id: UUID,
    done: str | None = None,
    fact: Fact | None = None,
    typed: Any = None,
) -> Response[str]:
    """Show one import. Raises ImportNotFound, also for files that are not the person's to see."""
    one = await get_import(tx, import_id, brand_id=staff.brand_id)
    if not _sees(staff, one):
        raise ImportNotFound
    words, language = platform_of(request).words, language_of(request)
    found = await list_faults(tx, import_id, limit=FAULTS_SHOWN)
    return show_console(
        request,
        staff,
        "console/import.html",
        page=SLOT,
        status=fact.status if fact else 200,
        one=one,
        powers=_powers(staff, one),
        form=form_text(words, one.form, language=language) if one.form else None,
        problem=_problem(request, one),
        faults=[fault_text(words, one.kind, fault, language=language) for fault in found],
        done=done,
        fault=fault_of(request, fact) if fact else None,
        typed=typed,
    )


def _problem(request: AnyRequest, one: ImportView) -> tuple[str, str] | None:
    if one.problem is None:
        return None
    words, language = platform_of(request).words, language_of(request)
    detail = dict(one.problem_detail)
    column = detail.get("column")
    if column:
        names = words.table("imports", language)["columns"][one.kind.value]
        detail["column"] = names[column][0] if column in names else column
    title = words.find(f"errors.{one.problem}.title", language, **detail) or one.problem
    return title, words.find(f"errors.{one.problem}.action", language, **detail) or ""
