"""The pages by which staff come in: enrolling a pad, signing in at it, and the console's door."""

from typing import Any

from o2o.staff.web import console, console_pads, pad
from o2o.web.console_menu import ConsoleMenu

route_handlers: list[Any] = [
    *pad.route_handlers,
    *console.route_handlers,
    *console_pads.route_handlers,
]


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute this domain's pages to the console's menu."""
    console_pads.add_to_menu(menu)
