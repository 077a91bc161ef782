"""The pad's door: enrolling a browser, signing in with a PIN, locking."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from o2o.crm.statuses import Audience
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.staff.actions.enrol_pad import EnrolledPad as NewPad
from o2o.staff.actions.enrol_pad import add_pad
from o2o.staff.front_door import PAD_NAME_CHARS_MAX, FrontDoor
from o2o.staff.web.demo import demo_pins
from o2o.staff.web.language import ChooseLanguage, language_chosen
from o2o.staff.web.views import DoorFrame, demo_choices, door_frame, people_of
from o2o.stores.queries import get_store
from o2o.web.answers import is_for_program
from o2o.web.client import client_address
from o2o.web.cookies import cookie_name, ended_cookie, pad_cookie, session_cookie
from o2o.web.errors import RouteNotFound
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import pad_guard
from o2o.web.pad_device import (
    keep_pre_session,
    pad_device_guard,
    pad_of,
    pre_session_csrf,
    pre_session_guard,
    pre_session_of,
    provide_pad,
)
from o2o.web.platform import Platform
from o2o.web.principals import Clerk
from o2o.web.queries.principals import EnrolledPad
from o2o.web.rendering import show
from o2o.web.sessions import end_session

AnyRequest = Request[Any, Any, Any]
FIRST_PAGE = "/pad/scan"

Short = Annotated[str, msgspec.Meta(max_length=64)]
PadName = Annotated[str, msgspec.Meta(max_length=4 * PAD_NAME_CHARS_MAX)]


class EnrolPad(msgspec.Struct, forbid_unknown_fields=True):
    """The one-time code a manager gave, and what this pad is to be called."""

    code: Short
    name: PadName = ""
    csrf: str = ""


class EnrolDemoPad(msgspec.Struct, forbid_unknown_fields=True):
    """The demo's store that this browser is to be a pad of."""

    store_id: UUID
    name: PadName = ""
    csrf: str = ""


class SignInAtPad(msgspec.Struct, forbid_unknown_fields=True):
    """Who stands at the pad, and the PIN."""

    pin: Short
    login: Short = ""
    csrf: str = ""


class PadDoor(Controller):
    """What anybody may ask of `/pad`."""

    path = "/pad"

    @get("/")
    async def front(
        self, request: AnyRequest, tx: NamedDependency[Tx], platform: NamedDependency[Platform]
    ) -> Response[Any]:
        """Show what comes next here: enrol, sign in, or go to work."""
        pad = await pad_of(request)
        if pad is None:
            return await enrol_page(request, tx, platform)
        token = request.cookies.get(cookie_name(platform.settings, Audience.PAD.value))
        if token and await platform.visitors.find_clerk(token, pad=pad):
            return Redirect(FIRST_PAGE, status_code=302, headers={"Cache-Control": "no-store"})
        return await sign_in_page(
            request, tx, platform, pad=pad, login=request.query_params.get("who", "")
        )

    @post("/enrolments", guards=[pre_session_guard])
    async def enrol(
        self,
        request: AnyRequest,
        data: Annotated[EnrolPad, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Spend a one-time code. Raises PadEnrolmentInvalid, PadEnrolmentLocked."""
        try:
            pad = await _front_door(platform).enrol_pad(
                code=data.code, name=data.name, client=client_address(request)
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            return await enrol_page(
                request, tx, platform, fault=fault_of(request, fact), name=data.name, fact=fact
            )
        return _enrolled(request, platform, pad)

    @post("/demo-enrolments", guards=[pre_session_guard])
    async def enrol_demo(
        self,
        request: AnyRequest,
        data: Annotated[EnrolDemoPad, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Make this browser a pad of a demo store. Outside the demo there is no such page."""
        if not platform.settings.demo:
            raise RouteNotFound
        store = await get_store(tx, data.store_id)
        name = data.name.strip()[:PAD_NAME_CHARS_MAX] or platform.words.text("pad.enrol.demo_name")
        pad = await add_pad(
            tx,
            seal=platform.seal,
            store_id=store.id,
            name=name,
            enrolled_by=None,
            now=platform.clock.now(),
        )
        return _enrolled(request, platform, pad)

    @post(
        "/sign-in",
        guards=[pad_device_guard],
        dependencies={"pad": Provide(provide_pad, sync_to_thread=False)},
    )
    async def sign_in(
        self,
        request: AnyRequest,
        data: Annotated[SignInAtPad, Body(media_type=RequestEncodingType.URL_ENCODED)],
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        pad: NamedDependency[EnrolledPad],
    ) -> Response[Any]:
        """Open a clerk's session. Raises SignInRefused, PINLocked, WrongStore."""
        try:
            # Before `tx` is used: no connection is held while the PIN is checked.
            signed_in = await _front_door(platform).sign_in_at_pad(
                pad_id=pad.pad_id, login=data.login, pin=data.pin
            )
        except Fact as fact:
            if is_for_program(request):
                raise
            fault = fault_of(request, fact)
            return await sign_in_page(
                request, tx, platform, pad=pad, login=data.login, fault=fault, status=fact.status
            )
        cookie = session_cookie(platform.settings, Audience.PAD, signed_in.session_token)
        return go_on(request, FIRST_PAGE, cookies=[cookie])

    @post("/language", guards=[pre_session_guard])
    async def choose_language(
        self,
        request: AnyRequest,
        data: Annotated[ChooseLanguage, Body(media_type=RequestEncodingType.URL_ENCODED)],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Keep the language this browser wants to read."""
        return language_chosen(request, data, page="/pad", settings=platform.settings)


class OpenPad(Controller):
    """What a signed-in clerk may ask of the pad itself."""

    path = "/pad"
    guards = [pad_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @post("/lock")
    async def lock(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        clerk: NamedDependency[Clerk],
    ) -> Response[Any]:
        """End the clerk's session; the pad stays enrolled, an open visit runs on."""
        await end_session(tx, clerk.session_hash, now=platform.clock.now())
        cookie = ended_cookie(platform.settings, Audience.PAD)
        return go_on(request, "/pad", cookies=[cookie])

    @get("/presence", status_code=204)
    async def presence(self) -> None:
        """Note that the clerk is at work: the guard has seen the session, that is all."""


def _front_door(platform: Platform) -> FrontDoor:
    return FrontDoor(sessions=platform.sessions, seal=platform.seal, clock=platform.clock)


def _enrolled(request: AnyRequest, platform: Platform, pad: NewPad) -> Response[Any]:
    # Whoever was signed in here under another pad is not under this one.
    return go_on(
        request,
        "/pad",
        cookies=[
            pad_cookie(platform.settings, pad.secret),
            ended_cookie(platform.settings, Audience.PAD),
        ],
    )


async def enrol_page(
    request: AnyRequest,
    tx: Tx,
    platform: Platform,
    *,
    fault: Fault | None = None,
    name: str = "",
    fact: Fact | None = None,
) -> Response[str]:
    """Show the page that asks for a one-time code; in the demo also its stores."""
    pre = pre_session_of(request)
    response = show(
        request,
        "pad/enrol.html",
        status=fact.status if fact else 200,
        csrf=pre_session_csrf(platform, pre),
        frame=DoorFrame(),
        fault=fault,
        name=name,
        demo_brands=await demo_choices(tx) if platform.settings.demo else [],
    )
    keep_pre_session(response, platform, pre)
    return response


async def sign_in_page(
    request: AnyRequest,
    tx: Tx,
    platform: Platform,
    *,
    pad: EnrolledPad,
    login: str = "",
    fault: Fault | None = None,
    status: int = 200,
) -> Response[str]:
    """Show the lock screen: who works here, and the keypad for the PIN."""
    pre = pre_session_of(request)
    people = await people_of(tx, pad, demo_pins=demo_pins(request))
    if login not in {person.login for person in people}:
        login = people[0].login if len(people) == 1 else ""
    response = show(
        request,
        "pad/sign_in.html",
        status=status,
        csrf=pre_session_csrf(platform, pre),
        frame=await door_frame(tx, pad),
        fault=fault,
        people=people,
        chosen=login,
    )
    keep_pre_session(response, platform, pre)
    return response


route_handlers: list[Any] = [PadDoor, OpenPad]
