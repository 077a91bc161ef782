"""The console's menu: every domain contributes its pages, everybody sees those of the own roles."""

from collections.abc import Collection

import msgspec

from o2o.crm.statuses import StaffRoleName


class ConsoleLink(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the console: who has use for it and where it stands in the menu."""

    # Names the page; a frame with this name as its `page` marks the link as the current one.
    slot: str
    href: str
    # A key of the copy.
    label: str
    # A drawing of `console/_icons.html`.
    icon: str
    # Whoever has one of them is shown the link. The page has to check for itself as well.
    roles: frozenset[StaffRoleName]
    order: int


class ConsoleMenu:
    """All pages of the console, in the order of the menu."""

    def __init__(self) -> None:
        """Start without any."""
        self._links: list[ConsoleLink] = []

    def add(
        self,
        *,
        slot: str,
        href: str,
        label: str,
        roles: Collection[StaffRoleName],
        icon: str = "page",
        order: int = 500,
    ) -> None:
        """Contribute a page; lower orders come first. Raises ValueError when its slot is taken."""
        if any(link.slot == slot for link in self._links):
            msg = f"two console pages called {slot}"
            raise ValueError(msg)
        self._links.append(
            ConsoleLink(
                slot=slot, href=href, label=label, icon=icon, roles=frozenset(roles), order=order
            )
        )
        self._links.sort(key=lambda link: (link.order, link.slot))

    def links_for(self, roles: Collection[StaffRoleName]) -> list[ConsoleLink]:
        """List what somebody of these roles has use for, in order."""
        return [link for link in self._links if not link.roles.isdisjoint(roles)]

    def first_page(self, roles: Collection[StaffRoleName]) -> str | None:
        """Return where somebody of these roles begins; None where no page is theirs."""
        links = self.links_for(roles)
        return links[0].href if links else None
