"""What the demo asks of the stand-in for WeChat by HTTP: official accounts, places on its map."""

from collections.abc import Sequence

import httpx
import msgspec

from o2o.app.demo.seeding import SandboxAccount
from o2o.app.demo.world import World


def open_accounts(url: str, *, product_url: str, world: World) -> Sequence[SandboxAccount]:
    """Have the stand-in issue (or find) the demo's official accounts, calling back to us."""
    accounts = []
    with httpx.Client(base_url=url, timeout=10.0, trust_env=False) as client:
        for account in world.accounts:
            answer = client.post(
                "/_sandbox/accounts",
                json={
                    "slug": account.slug,
                    "name": account.name,
                    "brand": account.brand,
                    "callback_url": f"{product_url}/wechat/{account.slug}/callback",
                },
            )
            answer.raise_for_status()
            accounts.append(msgspec.convert(answer.json(), type=SandboxAccount))
    return accounts


def show_places(url: str, world: World) -> None:
    """Put the demo's stores on the phone's map."""
    places = [
        {"name": store.name, "city": store.city, "lat": store.lat, "lng": store.lng}
        for store in world.stores
    ]
    answer = httpx.put(
        f"{url}/_sandbox/places", json={"places": places}, timeout=10.0, trust_env=False
    )
    answer.raise_for_status()
