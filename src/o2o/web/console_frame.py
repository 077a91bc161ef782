"""What surrounds every page of the console: the brand, who is signed in, the menu."""

from typing import Any

import msgspec
from litestar import Request, Response

from o2o.web.console_menu import ConsoleLink
from o2o.web.platform import platform_of
from o2o.web.principals import ConsoleStaff
from o2o.web.rendering import show


class ConsoleFrame(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of one page."""

    brand_slug: str
    brand_name: str
    staff_name: str
    # Values of StaffRoleName; the copy has words for them.
    roles: list[str]
    # The slot of the menu that this page belongs to.
    page: str
    links: list[ConsoleLink]


def console_frame(
    request: Request[Any, Any, Any], console_staff: ConsoleStaff, *, page: str
) -> ConsoleFrame:
    """Return the frame of a page in the menu's slot `page`."""
    return ConsoleFrame(
        brand_slug=console_staff.brand.slug,
        brand_name=console_staff.brand.name,
        staff_name=console_staff.name,
        roles=sorted(role.value for role in console_staff.roles),
        page=page,
        links=platform_of(request).console_menu.links_for(console_staff.roles),
    )


def show_console(
    request: Request[Any, Any, Any],
    console_staff: ConsoleStaff,
    template: str,
    *,
    page: str,
    status: int = 200,
    **values: Any,
) -> Response[str]:
    """Render a page of the console within its frame."""
    frame = console_frame(request, console_staff, page=page)
    return show(request, template, status=status, frame=frame, **values)
