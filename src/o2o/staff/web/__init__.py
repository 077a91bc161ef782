"""The pages by which staff come in: enrolling a pad, signing in at it, and the console's door."""

from typing import Any

from o2o.staff.web import console, console_pads, pad

route_handlers: list[Any] = [
    *pad.route_handlers,
    *console.route_handlers,
    *console_pads.route_handlers,
]
