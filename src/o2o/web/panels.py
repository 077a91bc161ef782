"""Panels: pieces of a shared screen, each contributed by a domain, composed at wiring time.

A screen names a slot; domains add panels to it. A domain that is not there leaves no hole.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from o2o.infra.database import Tx

# Reads what the panel shows, by `fetch_rows`, given the slot's context; None hides the panel.
Load = Callable[[Tx, Any], Awaitable[Any | None]]


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A fragment for a slot: how to load its view and which template shows it."""

    name: str
    template: str
    load: Load
    order: int = 100


class LoadedPanel(msgspec.Struct, frozen=True):
    """A panel that has something to show."""

    name: str
    template: str
    view: Any


class Panels:
    """All panels of the program by slot, in order."""

    def __init__(self) -> None:
        """Start without any."""
        self._slots: dict[str, list[Panel]] = {}

    def add(self, slot: str, panel: Panel) -> None:
        """Contribute a panel to a slot. Raises ValueError when its name is taken there."""
        panels = self._slots.setdefault(slot, [])
        if any(other.name == panel.name for other in panels):
            msg = f"two panels called {panel.name} in {slot}"
            raise ValueError(msg)
        panels.append(panel)
        panels.sort(key=lambda other: (other.order, other.name))

    async def load(self, slot: str, tx: Tx, context: Any) -> list[LoadedPanel]:
        """Load the panels of a slot that have something to show, in order."""
        loaded = []
        for panel in self._slots.get(slot, ()):
            view = await panel.load(tx, context)
            if view is not None:
                loaded.append(LoadedPanel(panel.name, panel.template, view))
        return loaded
