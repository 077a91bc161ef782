"""Tell where everything is once it answers, then set the demo's accounts up at WeChat.

A program of its own beside the server: a thread would be copied half-way into its workers.
"""

import asyncio
import sys
import time
from pathlib import Path

import click
import httpx

from o2o.app.demo.file import DemoFile, read_demo_file
from o2o.app.demo.setup.accounts import set_accounts_up
from o2o.app.demo.world import load_world
from o2o.infra.logging import configure_logging
from o2o.infra.settings import read_settings

READY_SECONDS = 60.0


def greet(data_dir: Path) -> None:
    """Print the addresses and logins of the demo in `data_dir`."""
    content = read_demo_file(data_dir / "demo.json")
    assert content is not None
    if not _is_ready(content.product_url):
        click.echo("The product does not answer; its messages above say why.", err=True)
        return
    click.echo(_greeting(content, data_dir))
    settings = read_settings()
    configure_logging(as_json=settings.log_json)
    asyncio.run(set_accounts_up(settings, [account.slug for account in content.accounts]))


def _is_ready(product_url: str) -> bool:
    give_up_at = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up_at:
        try:
            if httpx.get(f"{product_url}/readyz", timeout=2.0, trust_env=False).is_success:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    return False


def _greeting(content: DemoFile, data_dir: Path) -> str:
    group = load_world().group
    stores = {store.id: store.name for store in content.stores}
    lines = [
        "",
        f"  {group.name} · {group.name_en}",
        "",
        f"  Phone (start here)   {content.sandbox_url}",
        f"  Clerk's pad          {content.product_url}/pad",
        f"  Console              {content.product_url}/console",
        f"  API                  {content.product_url}/api/v1/openapi.json",
        "",
        "  Login        PIN      Password              Role       Store",
        *(
            f"  {person.login:<12} {person.pin or '-':<8}"
            f" {person.password if person.password != person.pin else '-':<21}"
            f" {person.role:<10} {stores.get(person.store_id or '', '-')}"
            for person in content.staff
        ),
        "",
        "  Bought cards to bind   Code",
        *(f"  {card.card_no:<22} {card.code or '(at a pad)'}" for card in content.bought_cards),
        "",
        f"  Keys and ids for programs: {data_dir / 'demo.json'}",
        "  Ctrl-C stops all of it.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    greet(Path(sys.argv[1]))
