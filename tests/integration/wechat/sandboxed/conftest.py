"""The product's exchange with WeChat against the real sandbox program, both over HTTP."""

import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from sqlalchemy import text

from o2o.crm.statuses import CallbackMode
from o2o.infra.database import SessionFactory, transaction
from o2o.infra.live import Hub
from o2o.infra.relay import Relay
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import SystemClock
from o2o.web.answers import EXCEPTION_HANDLERS
from o2o.web.pages import Pages
from o2o.web.panels import Panels
from o2o.web.platform import Platform
from o2o.web.visitors import Visitors
from o2o.wechat.actions.register_account import AccountDetails, register_account
from o2o.wechat.callback import is_callback_path
from o2o.wechat.official_account import Account
from o2o.wechat.services import WeChatServices
from tests.factories.organisation import given_brand
from tests.factories.wechat import WORDS

SOURCE = Path(__file__).parents[4] / "src"


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sandbox program, one for the whole run; accounts are per test."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "wechat_sandbox", "serve", "--port", "0"),
            *("--data-dir", str(tmp_path_factory.mktemp("sandbox"))),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready at " in line, line
    yield line.strip().rsplit(" ", 1)[1]
    process.terminate()
    process.wait(20)
    process.stdout.close()


class Stage:
    """One account at the sandbox and in the product, a person, and what tests do with them."""

    def __init__(
        self,
        *,
        control: httpx.AsyncClient,
        services: WeChatServices,
        account: Account,
        person: dict[str, Any],
        relay: Relay,
        sessions: SessionFactory,
        public_url: str,
    ) -> None:
        self.control = control
        self.services = services
        self.account = account
        self.person = person
        self.openid: str = person["openids"][account.slug]
        self.relay = relay
        self.sessions = sessions
        self.public_url = public_url

    async def call(self, method: str, path: str, **body: Any) -> Any:
        response = await self.control.request(method, path, json=body or None)
        response.raise_for_status()
        return response.json()

    async def follow(self) -> Any:
        path = f"/_sandbox/people/{self.person['id']}/follow"
        return await self.call("POST", path, account=self.account.slug)

    async def say(self, content: str) -> Any:
        path = f"/_sandbox/people/{self.person['id']}/messages"
        return await self.call(
            "POST", path, account=self.account.slug, type="text", content=content
        )

    async def chat(self, kind: str) -> list[dict[str, Any]]:
        path = f"/_sandbox/people/{self.person['id']}/chat"
        response = await self.control.get(path, params={"account": self.account.slug})
        return [m for m in response.json()["messages"] if m["kind"] == kind]

    async def fail(self, match: str, **rule: Any) -> None:
        await self.call("PUT", "/_sandbox/faults", rules=[{"match": match, **rule}])

    async def calls(self, path: str) -> int:
        """How often the product called one API with this account."""
        response = await self.control.get(
            "/_sandbox/calls", params={"account": self.account.slug, "limit": 500}
        )
        body = response.json()
        listed = body["calls"] if isinstance(body, dict) else body
        return sum(1 for call in listed if call.get("path") == path)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.sessions() as session:
            return [tuple(row) for row in await session.execute(text(query))]

    async def run_errands(self) -> None:
        while await self.relay.deliver_due():
            pass


@pytest.fixture
async def control(sandbox_url: str) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=30) as client:
        yield client
        (await client.delete("/_sandbox/faults")).raise_for_status()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def served(app: Any, port: int) -> AsyncGenerator[None, None]:
    """An ASGI app over HTTP, in this event loop."""
    import asyncio  # noqa: PLC0415

    server = Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    for _ in range(400):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            break
    yield
    server.stop()  # type: ignore[no-untyped-call]  # granian ships this without types
    await serving


def gives(value: Any) -> Provide:
    def give() -> Any:
        return value

    return Provide(give, sync_to_thread=False)


def web_app(services: WeChatServices, platform: Platform) -> Any:
    """The callback and the routes of the wechat package, as the product's root serves them."""
    values = {"settings": platform.settings, "clock": platform.clock}
    litestar = Litestar(
        route_handlers=[*services.route_handlers],  # type: ignore[list-item]  # declared loosely
        dependencies={
            **services.dependencies,
            **{name: gives(value) for name, value in values.items()},
        },
        exception_handlers=EXCEPTION_HANDLERS,
        state=State({"platform": platform}),
        logging_config=None,
        openapi_config=None,
    )

    async def root(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and is_callback_path(scope["path"]):
            await services.callback_app(scope, receive, send)
        else:
            await litestar(scope, receive, send)

    return root


async def registered(sessions: SessionFactory, seal: Seal, record: dict[str, Any]) -> None:
    """Register the sandbox's account with the product."""
    async with transaction(sessions) as tx:
        brand = await given_brand(tx)
        details = AccountDetails(
            slug=record["slug"],
            appid=record["appid"],
            original_id=record["original_id"],
            name=record["name"],
            place_word="门店",
            secret=record["secret"],
            token=record["token"],
            encoding_aes_key=record["encoding_aes_key"],
            mode=CallbackMode(record["mode"]),
        )
        now = SystemClock().now()
        await register_account(tx, brand_id=brand.id, details=details, seal=seal, now=now)


@pytest.fixture
async def stage(
    control: httpx.AsyncClient,
    sandbox_url: str,
    sessions: SessionFactory,
    seal: Seal,
    tmp_path: Path,
) -> AsyncGenerator[Stage, None]:
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    slug = f"acct{port}"
    body = {
        "slug": slug,
        "name": "江南小灶",
        "callback_url": f"{public_url}/wechat/{slug}/callback",
    }
    record = (await control.post("/_sandbox/accounts", json=body)).json()
    person = (await control.post("/_sandbox/people", json={"name": "林晓月"})).json()
    clock = SystemClock()
    await registered(sessions, seal, record)
    settings = Settings(
        data_dir=tmp_path,
        demo=True,
        wechat_api_url=sandbox_url,
        wechat_oauth_url=sandbox_url,
        public_url=public_url,
    )
    services = WeChatServices(
        settings=settings, seal=seal, sessions=sessions, clock=clock, words=WORDS
    )
    registry = Registry()
    services.register(registry)
    await services.start()
    platform = Platform(
        settings=settings,
        sessions=sessions,
        seal=seal,
        clock=clock,
        visitors=Visitors(sessions, seal=seal, clock=clock),
        hub=Hub("postgresql://unused"),
        words=WORDS,
        pages=Pages(WORDS),
        panels=Panels(),
    )
    async with served(web_app(services, platform), port):
        yield Stage(
            control=control,
            services=services,
            account=await services.accounts.get(slug),
            person=person,
            relay=Relay(sessions=sessions, registry=registry, clock=clock),
            sessions=sessions,
            public_url=public_url,
        )
    await services.stop()
