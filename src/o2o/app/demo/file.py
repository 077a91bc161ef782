"""`demo.json`: where the demo answers and with which keys, for people and outside programs."""

import os
from pathlib import Path

import msgspec

from o2o.app.demo.world import World


class DemoAccount(msgspec.Struct, frozen=True):
    """An official account of the demo."""

    slug: str
    brand: str
    kind: str


class DemoStore(msgspec.Struct, frozen=True):
    """A store of the demo."""

    id: str
    name: str
    city: str


class DemoCard(msgspec.Struct, frozen=True):
    """A member of the demo."""

    id: str
    card_no: str


class DemoLogin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody who can sign in: `password` is the PIN for those who work at a pad only."""

    login: str
    password: str
    role: str
    name: str
    pin: str | None = None
    store_id: str | None = None


class DemoBoughtCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A card sold over the counter, to be bound on an account's pages or at a pad."""

    account: str
    card_no: str
    code: str | None = None


class DemoFile(msgspec.Struct, frozen=True):
    """Everything an outside program needs to use the demo."""

    product_url: str
    sandbox_url: str
    api_key: str
    accounts: list[DemoAccount]
    stores: list[DemoStore]
    members: list[DemoCard]
    staff: list[DemoLogin]
    bought_cards: list[DemoBoughtCard] = []


def read_demo_file(path: Path) -> DemoFile | None:
    """Return what an earlier start wrote, if it can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=DemoFile)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_demo_file(path: Path, content: DemoFile) -> None:
    """Write it whole or not at all, readable by its owner only."""
    draft = path.with_suffix(".json.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2))
    draft.chmod(0o600)
    draft.replace(path)


def accounts_of(world: World) -> list[DemoAccount]:
    """List the world's official accounts."""
    return [
        DemoAccount(account.slug, account.brand, world.brand(account.brand).kind)
        for account in world.accounts
    ]
