"""What every request of a process may use, built once at start and kept in the app's state."""

from typing import Any

import msgspec

from o2o.infra.database import SessionFactory
from o2o.infra.live import Hub
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock
from o2o.web.console_menu import ConsoleMenu
from o2o.web.copy import Words
from o2o.web.pages import Pages
from o2o.web.panels import Panels
from o2o.web.visitors import Visitors


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """The process-wide parts that web code works with."""

    settings: Settings
    sessions: SessionFactory
    seal: Seal
    clock: Clock
    visitors: Visitors
    hub: Hub
    words: Words
    pages: Pages
    panels: Panels
    console_menu: ConsoleMenu = msgspec.field(default_factory=ConsoleMenu)


def platform_of(connection: Any) -> Platform:
    """Return the platform of the app that serves this connection."""
    platform: Platform = connection.app.state.platform
    return platform
