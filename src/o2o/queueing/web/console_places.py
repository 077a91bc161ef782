"""The console's way to take back what is out there: the posters' code, the display's address."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.infra.database import Tx
from o2o.queueing.actions.retire_codes import Published, retire_codes
from o2o.queueing.web.console_forms import read_setting
from o2o.queueing.web.console_scope import PAGE, actor_of, get_managed_store, page_of
from o2o.web.errors import RouteNotFound
from o2o.web.forms import go_on
from o2o.web.guards import console_guard
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff

AnyRequest = Request[Any, Any, Any]


class ConsolePlaces(Controller):
    """`/console/queues/{store}/retirements/{door_code|display_address}`."""

    path = PAGE + "/{store_id:uuid}/retirements"
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @post("/{what:str}", status_code=200)
    async def retire(
        self,
        request: AnyRequest,
        store_id: FromPath[UUID],
        what: FromPath[str],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """End what the page showed; sent twice, the new one stays good.

        Raises StoreNotFound, RoleMissing, QueueSettingsInvalid.
        """
        await get_managed_store(tx, console_staff, store_id)
        await retire_codes(
            tx,
            store_id,
            _published(what),
            edition=read_setting(dict(await request.form()), "edition"),
            actor=actor_of(console_staff),
            now=platform.clock.now(),
        )
        return go_on(request, page_of(store_id, f"?done={what}"))


def _published(what: str) -> Published:
    try:
        return Published(what)
    except ValueError:
        raise RouteNotFound from None


route_handlers: list[Any] = [ConsolePlaces]
