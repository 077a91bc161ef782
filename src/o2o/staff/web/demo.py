"""What the demo tells whoever tries it: who may sign in, and with which PIN or password.

The composition root puts the people into the app's state under `demo_staff`, in the demo only.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request

from o2o.web.platform import platform_of

STATE_KEY = "demo_staff"


class DemoStaff(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody invented who can sign in; the secrets guard nothing but the demo."""

    login: str
    name: str
    role: str
    # Where the person works, in words.
    place: str
    pin: str | None = None
    password: str | None = None


def demo_staff(request: Request[Any, Any, Any]) -> Sequence[DemoStaff]:
    """Return the demo's people; nobody outside the demo, whatever the state holds."""
    if not platform_of(request).settings.demo:
        return ()
    people: Sequence[DemoStaff] = request.app.state.get(STATE_KEY, ())
    return people


def demo_pins(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the demo's PINs by login."""
    return {person.login: person.pin for person in demo_staff(request) if person.pin}
