"""The console's door: signing in with a password, signing out."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from o2o.crm.statuses import Audience
from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.staff.front_door import FrontDoor
from o2o.staff.rules import PASSWORD_CHARS_MAX
from o2o.staff.web.demo import demo_staff
from o2o.staff.web.language import ChooseLanguage, language_chosen
from o2o.web.answers import is_for_program
from o2o.web.console_frame import show_console
from o2o.web.cookies import cookie_name, ended_cookie, session_cookie
from o2o.web.forms import Fault, fault_of, go_on
from o2o.web.guards import console_guard
from o2o.web.pad_device import (
    keep_pre_session,
    pre_session_csrf,
    pre_session_guard,
    pre_session_of,
)
from o2o.web.platform import Platform
from o2o.web.principals import ConsoleStaff
from o2o.web.rendering import show
from o2o.web.sessions import end_session

AnyRequest = Request[Any, Any, Any]
HOME = "/console"
SIGN_IN = "/console/sign-in"


class SignInToConsole(msgspec.Struct, forbid_unknown_fields=True):
    """Login and password."""

    login: Annotated[str, msgspec.Meta(max_length=128)]
    # Longer than any that is accepted: such a one is simply wrong.
    password: Annotated[str, msgspec.Meta(max_length=8 * PASSWORD_CHARS_MAX)]
    csrf: str = ""


class ConsoleDoor(Controller):
    """What anybody may ask of the console."""

    path = SIGN_IN

    @get("/")
    async def front(
        self, request: AnyRequest, platform: NamedDependency[Platform]
    ) -> Response[Any]:
        """Show the sign-in form, or go to work when somebody is signed in."""
        token = request.cookies.get(cookie_name(platform.settings, Audience.CONSOLE.value))
        if token and await platform.visitors.find_console_staff(token):
            return Redirect(HOME, status_code=302, headers={"Cache-Control": "no-store"})
        return sign_in_page(request, platform)

    @post("/", guards=[pre_session_guard])
    async def sign_in(
        self,
        request: AnyRequest,
        data: Annotated[SignInToConsole, Body(media_type=RequestEncodingType.URL_ENCODED)],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Open a console session. Raises SignInRefused, SignInLocked, NoRole."""
        door = FrontDoor(sessions=platform.sessions, seal=platform.seal, clock=platform.clock)
        try:
            signed_in = await door.sign_in_to_console(login=data.login, password=data.password)
        except Fact as fact:
            if is_for_program(request):
                raise
            return sign_in_page(
                request,
                platform,
                login=data.login,
                fault=fault_of(request, fact),
                status=fact.status,
            )
        cookie = session_cookie(platform.settings, Audience.CONSOLE, signed_in.session_token)
        return go_on(request, HOME, cookies=[cookie])

    @post("/language", guards=[pre_session_guard])
    async def choose_language(
        self,
        request: AnyRequest,
        data: Annotated[ChooseLanguage, Body(media_type=RequestEncodingType.URL_ENCODED)],
        platform: NamedDependency[Platform],
    ) -> Response[Any]:
        """Keep the language this browser wants to read."""
        return language_chosen(request, data, page=SIGN_IN, settings=platform.settings)


class OpenConsole(Controller):
    """What anybody signed in may ask of the console itself."""

    path = HOME
    guards = [console_guard]  # noqa: RUF012 - Litestar reads this plain class attribute

    @get("/")
    async def home(
        self,
        request: AnyRequest,
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """Go to the first page of the person's menu, or say that there is none."""
        first = platform.console_menu.first_page(console_staff.roles)
        if first is None:
            return show_console(request, console_staff, "console/nothing.html", page="nothing")
        return Redirect(first, status_code=302, headers={"Cache-Control": "no-store"})

    @post("/sign-out")
    async def sign_out(
        self,
        request: AnyRequest,
        tx: NamedDependency[Tx],
        platform: NamedDependency[Platform],
        console_staff: NamedDependency[ConsoleStaff],
    ) -> Response[Any]:
        """End the session."""
        await end_session(tx, console_staff.session_hash, now=platform.clock.now())
        return go_on(request, SIGN_IN, cookies=[ended_cookie(platform.settings, Audience.CONSOLE)])


def sign_in_page(
    request: AnyRequest,
    platform: Platform,
    *,
    login: str = "",
    fault: Fault | None = None,
    status: int = 200,
) -> Response[str]:
    """Show the sign-in form."""
    pre = pre_session_of(request)
    response = show(
        request,
        "console/sign_in.html",
        status=status,
        csrf=pre_session_csrf(platform, pre),
        fault=fault,
        login=login,
        # Managers first: they are the ones whom a page awaits.
        demo_people=sorted(
            (person for person in demo_staff(request) if person.password),
            key=lambda person: (person.role != "manager", person.login),
        ),
    )
    keep_pre_session(response, platform, pre)
    return response


route_handlers: list[Any] = [ConsoleDoor, OpenConsole]
