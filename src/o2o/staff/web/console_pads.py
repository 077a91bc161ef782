"""The console's page of pads: enrol with a one-time code, revoke, unlock a clerk's PIN."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from markupsafe import Markup

from o2o.crm.organisation import Store
from o2o.crm.statuses import StaffRoleName
from o2o.infra.database import Tx
from o2o.staff.actions.create_pad_enrolment import create_pad_enrolment
from o2o.staff.actions.revoke_pad import revoke_pad
from o2o.staff.actions.unlock_staff import unlock_staff
from o2o.staff.queries import PadView, StaffView, list_pads, list_staff
from o2o.staff.rules import ENROLMENT_LASTS
from o2o.staff.web.qr import qr_svg
from o2o.stores.queries import list_stores
from o2o.web.console_frame import show_console
from o2o.web.console_menu import ConsoleMenu
from o2o.web.forms import go_on
from o2o.web.guards import console_guard
from o2o.web.language import language_of
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]
PAGE = "/console/pads"
SLOT = "pads"


class CreateEnrolment(msgspec.Struct, forbid_unknown_fields=True):
    """The store whose pad somebody is about to enrol."""

    store_id: UUID
    csrf: str = ""


class NewEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, told once."""

    code: str
    store_name: str
    expires_at: datetime
    lasts_seconds: int
    address: str
    qr: Markup


class StorePads(msgspec.Struct, frozen=True, kw_only=True):
    """A store in the manager's scope with its pads."""

    store_id: UUID
    name: str
    city: str
    timezone: str
    in_use: list[PadView]
    revoked: list[PadView]


class ConsolePads(Controller):
    """Pads of the stores that the signed-in manager answers for."""

    path = PAGE
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def list_all(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[str]:
        """Show stores with their pads, and who is locked out."""
        return await _page(request, tx, console_staff)

    @post("/enrolments", status_code=201)
    async def create_enrolment(
        self,
        request: AnyRequest,
        data: Annotated[CreateEnrolment, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[str]:
        """Show a one-time code. Raises RoleMissing for a store that is not the manager's.

        Answered with the page itself: the code is kept as a hash and cannot be shown again.
        """
        now = platform.clock.now()
        code = await create_pad_enrolment(
            tx, seal=platform.seal, store_id=data.store_id, by=console_staff.staff_id, now=now
        )
        [store] = await list_stores(tx, store_ids=[data.store_id])
        # After the number sign, so that the code is in no log of any server.
        address = f"{platform.settings.public_url}/pad"
        enrolment = NewEnrolment(
            code=code,
            store_name=store.name,
            expires_at=now + ENROLMENT_LASTS,
            lasts_seconds=int(ENROLMENT_LASTS.total_seconds()),
            address=address,
            qr=qr_svg(
                f"{address}#code={code}",
                label=platform.words.text("console.pads.qr_label", language_of(request)),
            ),
        )
        return await _page(request, tx, console_staff, enrolment=enrolment)

    @post("/{pad_id:uuid}/revocations")
    async def revoke(
        self,
        request: AnyRequest,
        pad_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Take a pad out of use. Raises PadNotFound."""
        now = platform.clock.now()
        await revoke_pad(tx, pad_id=pad_id, by=console_staff.staff_id, now=now)
        return go_on(request, f"{PAGE}?done=revoked")

    @post("/unlockings/{staff_id:uuid}")
    async def unlock(
        self,
        request: AnyRequest,
        staff_id: FromPath[UUID],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Give somebody the PIN tries back. Raises StaffNotFound."""
        now = platform.clock.now()
        await unlock_staff(tx, staff_id=staff_id, by=console_staff.staff_id, now=now)
        return go_on(request, f"{PAGE}?done=unlocked")


async def _page(
    request: AnyRequest,
    tx: Tx,
    console_staff: ConsoleStaff,
    *,
    enrolment: NewEnrolment | None = None,
) -> Response[str]:
    stores = await _managed_stores(tx, console_staff)
    done = request.query_params.get("done")
    return show_console(
        request,
        console_staff,
        "console/pads.html",
        page=SLOT,
        status=201 if enrolment else 200,
        stores=await _with_pads(tx, stores),
        locked=await _locked_people(tx, console_staff),
        enrolment=enrolment,
        done=done if done in {"revoked", "unlocked"} else None,
    )


async def _managed_stores(tx: Tx, console_staff: ConsoleStaff) -> Sequence[Store]:
    managed = console_staff.roles.get(StaffRoleName.MANAGER, frozenset())
    if managed is None:
        return await list_stores(tx, brand_id=console_staff.brand_id)
    return await list_stores(tx, brand_id=console_staff.brand_id, store_ids=sorted(managed))


async def _with_pads(tx: Tx, stores: Sequence[Store]) -> list[StorePads]:
    pads: dict[UUID, list[PadView]] = {store.id: [] for store in stores}
    for pad in await list_pads(tx, store_ids=sorted(pads)):
        pads[pad.store_id].append(pad)
    return [
        StorePads(
            store_id=store.id,
            name=store.name,
            city=store.city,
            timezone=store.timezone,
            in_use=[pad for pad in pads[store.id] if pad.revoked_at is None],
            revoked=[pad for pad in pads[store.id] if pad.revoked_at is not None],
        )
        for store in stores
    ]


async def _locked_people(tx: Tx, console_staff: ConsoleStaff) -> list[StaffView]:
    """Return who is locked out of a pad and whom this manager may let in again."""
    managed = console_staff.roles.get(StaffRoleName.MANAGER, frozenset())
    return [
        person
        for person in await list_staff(tx, brand_id=console_staff.brand_id)
        if person.is_pin_locked
        and person.staff_id != console_staff.staff_id
        and (
            managed is None
            or any(stores is not None and stores & managed for stores in person.roles.values())
        )
    ]


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute the page to the console's menu."""
    menu.add(
        slot=SLOT,
        href=PAGE,
        label="console.frame.pads",
        icon="pad",
        roles={StaffRoleName.MANAGER},
        order=800,
    )


route_handlers: list[Any] = [ConsolePads]
