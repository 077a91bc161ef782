"""The console's pages of imports: upload and dry run, faults, a second person's confirmation."""

from collections.abc import Mapping
from typing import IO, Annotated, Any, cast
from uuid import UUID

import msgspec
from litestar import Controller, MediaType, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body, FromPath

from o2o.crm.statuses import ImportKind
from o2o.infra.aside import compute_aside
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId
from o2o.kernel.money import parse_yuan
from o2o.membership.actions.import_confirm import ConfirmImport, confirm_import, withdraw_import
from o2o.membership.actions.import_receive import Received, ReceiveImport, receive_import
from o2o.membership.errors_imports import ImportFileEmpty, ImportFileTooLarge
from o2o.membership.imports.reports import faults_csv, template_csv
from o2o.membership.imports.upload import examine, pieces_of
from o2o.membership.queries.imports import READERS, get_import, list_faults
from o2o.membership.web.import_views import SLOT, show_import, show_imports
from o2o.web.console_menu import ConsoleMenu
from o2o.web.csrf import HEADER as CSRF_HEADER
from o2o.web.errors import CSRFTokenMissing, FieldNotAllowed, RequestInvalid, RoleMissing
from o2o.web.forms import go_on
from o2o.web.guards import console_guard
from o2o.web.language import language_of
from o2o.web.platform import Platform, platform_of
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]
PAGE = "/console/imports"
TOLD = frozenset({"received", "known", "confirmed", "withdrawn"})
FORM_FIELDS = frozenset({"file", "kind", "store_id", "csrf"})
# What a browser puts around the file.
FORM_BYTES_MAX = 100_000
POINTS_CHARS_MAX = 12


class ConfirmTotals(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody from finance says that the rows come to, as typed."""

    row_count: Annotated[str, msgspec.Meta(max_length=POINTS_CHARS_MAX)]
    principal_yuan: Annotated[str, msgspec.Meta(max_length=20)]
    bonus_yuan: Annotated[str, msgspec.Meta(max_length=20)] = "0"
    points: Annotated[str, msgspec.Meta(max_length=POINTS_CHARS_MAX)] = "0"
    skips_faulty: str = ""
    csrf: str = ""


async def upload_guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse what is too large before a byte of it is read, then ask who it is.

    Raises ImportFileTooLarge and what the console's guard raises.
    """
    if connection.scope.get("method") == "POST":
        bytes_max = platform_of(connection).settings.import_bytes_max
        told = connection.headers.get("content-length", "")
        if not told.isdecimal() or int(told) > bytes_max + FORM_BYTES_MAX:
            raise ImportFileTooLarge(bytes_max=bytes_max)
    try:
        await console_guard(connection, handler)
    except CSRFTokenMissing:
        if CSRF_HEADER not in connection.headers:
            # The form was read for its token; nobody else would let its file go.
            await _let_go(await connection.form())  # type: ignore[attr-defined]  # a Request at run time
        raise


async def _let_go(form: Mapping[str, Any]) -> None:
    for value in form.values():
        if isinstance(value, UploadFile):
            await value.close()


def _check_reader(staff: ConsoleStaff) -> None:
    if not READERS & staff.roles.keys():
        raise RoleMissing


def _file_answer(text: str, name: str) -> Response[bytes]:
    return Response(
        text.encode(),
        media_type=MediaType.TEXT,
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


class ConsoleUploads(Controller):
    """Where files come in; larger bodies than elsewhere."""

    path = PAGE
    guards = [upload_guard]  # noqa: RUF012 - Litestar reads this plain attribute
    # The guard holds the request to the setting; the server holds it to what it announced.
    request_max_body_size = None

    @post("/")
    async def upload(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Keep a file and have it checked; a file that is known leads to its import.

        Raises RoleMissing, StoreNotFound, ImportFileTooLarge, ImportUnpacksTooLarge,
        ImportFileEmpty, ImportFileBroken, ImportAlreadyDone.
        """
        form = await request.form()
        try:
            received = await self._receive(form, tx, platform=platform, staff=console_staff)
        finally:
            await _let_go(form)
        told = "known" if received.is_replay else "received"
        return go_on(request, f"{PAGE}/{received.import_id}?done={told}")

    async def _receive(
        self, form: Mapping[str, Any], tx: Tx, *, platform: Platform, staff: ConsoleStaff
    ) -> Received:
        unknown = sorted(set(form) - FORM_FIELDS)
        if unknown:
            raise FieldNotAllowed(field=unknown[0])
        upload = form.get("file")
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise ImportFileEmpty
        file = cast("IO[bytes]", upload.file)
        examined = await compute_aside(examine, file, bytes_max=platform.settings.import_bytes_max)
        return await receive_import(
            tx,
            ReceiveImport(
                brand_id=BrandId(staff.brand_id),
                kind=_kind(str(form.get("kind", ""))),
                file_name=upload.filename,
                file_bytes=examined.file_bytes,
                sha256=examined.sha256,
                store_id=_store_id(str(form.get("store_id", ""))),
                source="file",
                by=staff.staff_id,
                now=platform.clock.now(),
            ),
            pieces_of(file),
        )


def _kind(text: str) -> ImportKind:
    try:
        return ImportKind(text)
    except ValueError as error:
        raise RequestInvalid(field="kind") from error


def _store_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise RequestInvalid(field="store_id") from error


class ConsoleImports(Controller):
    """The list, the template, and one import."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def list_all(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[str]:
        """Show the newest imports, and the form for whoever may upload. Raises RoleMissing."""
        _check_reader(console_staff)
        return await show_imports(request, tx, console_staff)

    @get("/template")
    async def template(
        self,
        request: AnyRequest,
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[bytes]:
        """Give an empty table with its head. Raises RoleMissing."""
        _check_reader(console_staff)
        kind = _kind(request.query_params.get("kind", ImportKind.CARDS.value))
        text = template_csv(platform.words, kind, language=language_of(request))
        return _file_answer(text, f"{kind.value}.csv")

    @get("/{import_id:uuid}")
    async def one(
        self,
        request: AnyRequest,
        import_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[str]:
        """Show an import. Raises RoleMissing, ImportNotFound."""
        _check_reader(console_staff)
        done = request.query_params.get("done")
        return await show_import(
            request, tx, console_staff, import_id=import_id, done=done if done in TOLD else None
        )

    @get("/{import_id:uuid}/faults.csv")
    async def faults(
        self,
        request: AnyRequest,
        import_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[bytes]:
        """Give the first thousand faults as CSV. Raises RoleMissing, ImportNotFound."""
        _check_reader(console_staff)
        one = await get_import(tx, import_id, brand_id=console_staff.brand_id)
        found = await list_faults(tx, import_id)
        text = faults_csv(platform.words, one.kind, found, language=language_of(request))
        return _file_answer(text, f"faults-{one.uploaded_at:%Y%m%d-%H%M}.csv")

    @post("/{import_id:uuid}/confirmations")
    async def confirm(
        self,
        request: AnyRequest,
        import_id: FromPath[UUID],
        data: Annotated[ConfirmTotals, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Let the rows be carried over; what stands in the way is shown beside the form."""
        try:
            await confirm_import(
                tx,
                ConfirmImport(
                    import_id=import_id,
                    brand_id=BrandId(console_staff.brand_id),
                    row_count=_number(data.row_count, field="row_count"),
                    principal_fen=_fen(data.principal_yuan, field="principal_fen"),
                    bonus_fen=_fen(data.bonus_yuan, field="bonus_fen"),
                    points=_number(data.points, field="points"),
                    skips_faulty=data.skips_faulty == "1",
                    by=console_staff.staff_id,
                    now=platform.clock.now(),
                ),
            )
        except Fact as fact:
            # Nothing was written before any of its refusals.
            if fact.status not in {409, 422} or "text/html" not in request.headers.get(
                "accept", ""
            ):
                raise
            return await show_import(
                request, tx, console_staff, import_id=import_id, fact=fact, typed=data
            )
        return go_on(request, f"{PAGE}/{import_id}?done=confirmed")

    @post("/{import_id:uuid}/withdrawals")
    async def withdraw(
        self,
        request: AnyRequest,
        import_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take a file back. Raises ImportNotFound, RoleMissing, ImportNotReady."""
        await withdraw_import(
            tx,
            import_id=import_id,
            brand_id=BrandId(console_staff.brand_id),
            by=console_staff.staff_id,
            now=platform.clock.now(),
        )
        return go_on(request, f"{PAGE}/{import_id}?done=withdrawn")


def _number(text: str, *, field: str) -> int:
    plain = text.strip().replace(",", "")
    if not (plain.isascii() and plain.isdecimal()):
        raise RequestInvalid(field=field)
    return int(plain)


def _fen(text: str, *, field: str) -> int:
    """Read a total as finance types it, also one larger than any single amount may be."""
    whole, _, part = text.strip().replace(",", "").partition(".")
    if not (whole.isascii() and whole.isdecimal()):
        raise RequestInvalid(field=field)
    try:
        return int(whole) * 100 + parse_yuan(f"0.{part or '0'}")
    except ValueError as error:
        raise RequestInvalid(field=field) from error


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the page to the console's menu."""
    menu.add(
        slot=SLOT,
        href=PAGE,
        label="imports.menu",
        icon="imports",
        roles=READERS,
        order=600,
    )


route_handlers: list[Any] = [ConsoleUploads, ConsoleImports]
