"""Whom and what the demo's pages offer, from demo.json; nothing where there is none."""

from o2o.app.demo.file import read_demo_file
from o2o.infra.settings import Settings
from o2o.membership.web.demo import DemoCardAtHand
from o2o.staff.web.demo import DemoStaff


def staff_at_hand(settings: Settings) -> list[DemoStaff]:
    """List the demo's people with PINs and passwords; empty outside the demo."""
    content = read_demo_file(settings.data_dir / "demo.json") if settings.demo else None
    if content is None:
        return []
    stores = {store.id: store.name for store in content.stores}
    return [
        DemoStaff(
            login=person.login,
            name=person.name,
            role=person.role,
            place=stores.get(person.store_id or "", ""),
            pin=person.pin,
            password=None if person.password == person.pin else person.password,
        )
        for person in content.staff
    ]


def cards_at_hand(settings: Settings) -> list[DemoCardAtHand]:
    """List the demo's bought cards that have a code; none outside the demo."""
    content = read_demo_file(settings.data_dir / "demo.json") if settings.demo else None
    return [
        DemoCardAtHand(account=card.account, card_no=card.card_no, code=card.code)
        for card in (content.bought_cards if content else [])
        if card.code is not None
    ]
