"""The console's menu: order, roles, one page per slot."""

import pytest

from o2o.crm.statuses import StaffRoleName as Role
from o2o.web.console_menu import ConsoleMenu


def menu() -> ConsoleMenu:
    made = ConsoleMenu()
    made.add(
        slot="pads", href="/console/pads", label="a.b", roles={Role.MANAGER}, icon="pad", order=800
    )
    made.add(
        slot="members",
        href="/console/members",
        label="c.d",
        roles={Role.MANAGER, Role.SERVICE},
        order=200,
    )
    return made


def test_the_menu_is_in_order_and_holds_what_the_roles_allow() -> None:
    assert [link.slot for link in menu().links_for([Role.MANAGER])] == ["members", "pads"]
    assert [link.slot for link in menu().links_for([Role.SERVICE, Role.CLERK])] == ["members"]
    assert menu().links_for([Role.KITCHEN]) == []


def test_the_first_page_is_the_first_of_the_own_menu() -> None:
    assert menu().first_page([Role.MANAGER]) == "/console/members"
    assert menu().first_page([Role.KITCHEN]) is None


def test_a_slot_is_given_once() -> None:
    made = menu()
    with pytest.raises(ValueError, match="two console pages called pads"):
        made.add(slot="pads", href="/x", label="a.b", roles={Role.MANAGER})
    assert [link.href for link in made.links_for([Role.MANAGER])] == [
        "/console/members",
        "/console/pads",
    ]
