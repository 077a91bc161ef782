"""The programme's pages in the console: rules, tiers, packages and corrections."""

from typing import Any

from o2o.membership.web import (
    console_adjustments,
    console_give_tier,
    console_packages,
    console_programme,
    console_tiers,
)
from o2o.web.console_menu import ConsoleMenu

route_handlers: list[Any] = [
    *console_programme.route_handlers,
    *console_tiers.route_handlers,
    *console_give_tier.route_handlers,
    *console_packages.route_handlers,
    *console_adjustments.route_handlers,
]


def add_to_menu(menu: ConsoleMenu) -> None:
    """Contribute these pages to the console's menu."""
    console_programme.add_to_menu(menu)
    console_adjustments.add_to_menu(menu)
