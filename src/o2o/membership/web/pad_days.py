"""The day at the pad: the list of what moved, the shifts, and the manager's closing of the day."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from o2o.crm.organisation import Store
from o2o.crm.statuses import ShiftStatus, StaffRoleName, TransferKind
from o2o.infra.database import Tx
from o2o.kernel.business_day import business_day, turn_of_day
from o2o.kernel.text import mask_name
from o2o.membership.actions.close_day import close_day
from o2o.membership.queries.movements import list_counter_movements
from o2o.membership.queries.shifts import find_closed_day, list_shifts_of_day, sum_counted
from o2o.membership.web.pad_pages import counter_guard
from o2o.membership.web.pad_views import pad_frame
from o2o.stores.queries import get_store
from o2o.web.errors import RoleMissing
from o2o.web.forms import go_on
from o2o.web.guards import pad_guard
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.rendering import show

AnyRequest = Request[Any, Any, Any]
DAYS_BACK_MAX = 400
# What the list may be narrowed to.
FILTERS: dict[str, tuple[TransferKind, ...]] = {
    "all": (),
    "charges": (TransferKind.DEBIT,),
    "top_ups": (TransferKind.TOP_UP,),
    "undone": (TransferKind.DEBIT_REVERSED, TransferKind.TOP_UP_REVERSED, TransferKind.REFUND),
}


class CloseDayForm(msgspec.Struct, forbid_unknown_fields=True):
    """The day to close."""

    business_on: date
    csrf: str = ""


class DayPages(Controller):
    """`/pad/day`."""

    path = "/pad/day"
    guards = [pad_guard, counter_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get()
    async def show_day(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Show a business day; `on`, `only` and `pad` in the address narrow it, anything odd not.

        The closed day's sums are for everybody who serves, as they are on the paper.
        """
        now = platform.clock.now()
        store = await get_store(tx, clerk.store_id)
        today = business_day(now, hours=store.hours, timezone=store.timezone)
        day = _asked_day(request, today=today)
        only = request.query_params.get("only", "all")
        only = only if only in FILTERS else "all"
        scope: Literal["store", "pad"] = (
            "store" if request.query_params.get("pad") == "all" else "pad"
        )
        since, until = _bounds(store, day)
        shifts = await list_shifts_of_day(tx, store_id=clerk.store_id, business_on=day)
        counted = [shift.id for shift in shifts if shift.status is not ShiftStatus.OPEN]
        return show(
            request,
            "pad/day.html",
            frame=await pad_frame(tx, clerk),
            day=day,
            is_today=day == today,
            day_before=day - timedelta(days=1),
            day_after=day + timedelta(days=1) if day < today else None,
            only=only,
            filters=list(FILTERS),
            scope=scope,
            movements=await list_counter_movements(
                tx,
                store_id=clerk.store_id,
                since=since,
                until=until,
                pad_id=clerk.pad_id if scope == "pad" else None,
                kinds=FILTERS[only],
            ),
            mask_name=mask_name,
            shifts=shifts,
            sums=await sum_counted(tx, counted),
            closed=await find_closed_day(tx, store_id=clerk.store_id, business_on=day),
            can_close=StaffRoleName.MANAGER in clerk.roles,
            has_open=len(counted) < len(shifts),
        )

    @post("/close")
    async def close(
        self,
        request: AnyRequest,
        data: Annotated[CloseDayForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        clerk: NamedDependency[Clerk],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Close a day. Raises RoleMissing unless a manager asks, and what close_day raises."""
        if StaffRoleName.MANAGER not in clerk.roles:
            raise RoleMissing
        await close_day(
            tx,
            store_id=clerk.store_id,
            business_on=data.business_on,
            staff_id=clerk.staff_id,
            now=platform.clock.now(),
        )
        return go_on(request, f"/pad/day?on={data.business_on.isoformat()}")


def _asked_day(request: AnyRequest, *, today: date) -> date:
    try:
        day = date.fromisoformat(request.query_params.get("on", ""))
    except ValueError:
        return today
    return day if today - timedelta(days=DAYS_BACK_MAX) <= day <= today else today


def _bounds(store: Store, day: date) -> tuple[datetime, datetime]:
    turn, zone = turn_of_day(store.hours), ZoneInfo(store.timezone)
    began = datetime.combine(day, turn, tzinfo=zone)
    return began, datetime.combine(day + timedelta(days=1), turn, tzinfo=zone)


route_handlers: list[Any] = [DayPages]
