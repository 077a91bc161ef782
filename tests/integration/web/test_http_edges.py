"""What every address does alike: methods, unknown places, headers, refusals as JSON."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from o2o.app.http import create_http_app
from o2o.infra.live import Hub
from o2o.infra.metrics import REGISTRY
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.kernel.ids import TransferId, new_id
from o2o.ledger.actions.debit_stored_value import Transferred
from o2o.membership.till import Till
from o2o.membership.web import api, diner, pad
from o2o.staff.web import console
from o2o.web.copy import Words, webviews_dir
from o2o.web.edge import Edge, Scope
from o2o.web.live import LiveStreams
from o2o.web.pages import Pages
from o2o.web.panels import Panels
from o2o.web.platform import Platform
from o2o.web.principals import APIClient
from o2o.web.visitors import Visitors
from tests.fakes.clock import FakeClock

SOMEBODY = "01a20113-2d08-7382-8955-64617eac9e38"
KEY = {"Authorization": "Bearer of somebody"}
NIL = "00000000-0000-0000-0000-000000000000"
SETTINGS = Settings(secret_key="a key for tests that is long enough", demo=True)


class OneClient(Visitors):
    """Knows one client, whatever the key."""

    async def find_api_client(self, _: str) -> APIClient:
        return APIClient(
            key_id=UUID(int=1),
            name="hall",
            brand_id=None,
            scopes=frozenset({"members:read", "debits:write", "top_ups:write"}),
            unattended_debit_fen_max=0,
        )


class CountingTill(Till):
    """Takes every charge and remembers it."""

    def __init__(self) -> None:
        self.charges: list[object] = []

    async def charge(self, **charge: Any) -> Transferred:
        self.charges.append(charge)
        return Transferred(
            transfer_id=TransferId(new_id()),
            amount_fen=charge["amount_fen"],
            principal_fen=1,
            bonus_fen=0,
            balance_fen=5,
            is_replay=False,
        )


@pytest.fixture
def till() -> CountingTill:
    return CountingTill()


@pytest.fixture
async def client(till: CountingTill) -> AsyncGenerator[httpx.AsyncClient, None]:
    words, seal, clock = Words(), Seal(SETTINGS.secret_key), FakeClock()
    nothing: Any = None
    platform = Platform(
        settings=SETTINGS,
        # Nothing here may ask the database.
        sessions=nothing,
        seal=seal,
        clock=clock,
        visitors=OneClient(nothing, seal=seal, clock=clock),
        hub=Hub("postgresql://127.0.0.1/unused"),
        words=words,
        pages=Pages(words),
        panels=Panels(),
    )
    app = create_http_app(
        platform,
        pages=[*diner.route_handlers, *pad.route_handlers, *console.route_handlers],
        api=api.route_handlers,
        state={},
        dependencies={"till": till, "desk": None},
    )
    transport = httpx.ASGITransport(app=Edge(app, settings=SETTINGS), raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar types its own ASGI
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


def debit(**fields: object) -> dict[str, object]:
    return {"request_id": str(new_id()), "amount_fen": 1, "store_id": str(uuid4())} | fields


async def test_debit_that_fits_is_not_kept_by_caches(
    client: httpx.AsyncClient, till: CountingTill
) -> None:
    answer = await client.post(f"/api/v1/members/{uuid4()}/debits", json=debit(), headers=KEY)

    assert (answer.status_code, answer.json()["balance_fen"]) == (201, 5)
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert len(till.charges) == 1


@pytest.mark.parametrize(
    "body, status, code, field",
    [
        (b"", 400, "request.json_broken", None),
        (b'{"amount_fen":1,"amount_fen":2}', 400, "request.json_broken", None),
        (b"[" * 200_000, 400, "request.json_broken", None),
        (b'{"request_id":"' + NIL.encode() + b'"}', 422, "request.invalid", "amount_fen"),
        (b"[]", 422, "request.invalid", "body"),
        (b"null", 422, "request.invalid", "body"),
    ],
    ids=["empty", "twice", "deep", "missing", "list", "nothing"],
)
async def test_bodies_that_move_nothing(
    client: httpx.AsyncClient,
    till: CountingTill,
    body: bytes,
    status: int,
    code: str,
    field: str | None,
) -> None:
    answer = await client.post(f"/api/v1/members/{uuid4()}/debits", content=body, headers=KEY)

    told = answer.json()
    assert (answer.status_code, told["code"], told.get("field")) == (status, code, field)
    assert told["trace_id"] == answer.headers["x-trace-id"]
    assert till.charges == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/x-msgpack"]
)
async def test_a_body_that_calls_itself_something_else_moves_nothing(
    client: httpx.AsyncClient, till: CountingTill, kind: str
) -> None:
    path = f"/api/v1/members/{uuid4()}/debits"
    answer = await client.post(path, json=debit(), headers={**KEY, "Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (415, "request.media_type_unsupported")
    assert till.charges == []
    named = {**KEY, "Content-Type": "application/json; charset=utf-8"}
    assert (await client.post(path, json=debit(), headers=named)).status_code == 201


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("GET", f"/api/v1/members/{SOMEBODY}/debits", "OPTIONS, POST"),
        ("DELETE", f"/api/v1/members/{SOMEBODY}", "GET, OPTIONS"),
        ("PUT", "/pad/scan", "GET, OPTIONS"),
    ],
)
async def test_a_method_that_is_not_taken_is_told_which_are(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path, headers=KEY)

    assert (answer.status_code, answer.headers.get("allow")) == (405, allowed)


async def test_nil_uuid_names_no_intention(client: httpx.AsyncClient, till: CountingTill) -> None:
    path = f"/api/v1/members/{uuid4()}/debits"
    answer = await client.post(path, json=debit(request_id=NIL), headers=KEY)

    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (
        422,
        "request.invalid",
        "request_id",
    )
    assert till.charges == []


@pytest.mark.parametrize(
    "path, allowed",
    [
        (f"/api/v1/members/{SOMEBODY}", "GET, OPTIONS"),
        (f"/api/v1/members/{SOMEBODY}/debits", "OPTIONS, POST"),
        ("/h5/any/card", "OPTIONS, POST"),
        ("/pad/scan", "GET, OPTIONS"),
    ],
)
async def test_options_say_what_an_address_takes(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    answer = await client.options(path)

    assert (answer.status_code, answer.headers.get("allow")) == (204, allowed), answer.text


async def test_every_guarded_route_answers_options(client: httpx.AsyncClient) -> None:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    app = transport.app._app  # type: ignore[attr-defined]
    paths = {
        route.path_format.replace("{account}", "any")
        for route in app.routes
        if not route.path.startswith("/static")
    }
    assert len(paths) > 20

    for path in paths:
        named = "/".join(str(uuid4()) if "{" in part else part for part in path.split("/"))
        assert (await client.options(named)).status_code == 204, path


@pytest.mark.parametrize("path", ["/healthz", "/console/sign-in", "/api/v1/openapi.json", "/none"])
async def test_head_is_get_without_its_body(client: httpx.AsyncClient, path: str) -> None:
    got, asked = await client.get(path), await client.head(path)

    assert asked.status_code == got.status_code
    assert asked.content == b""
    assert asked.headers["content-type"] == got.headers["content-type"]
    assert int(asked.headers["content-length"]) > 0


async def test_static_files_answer_head(client: httpx.AsyncClient) -> None:
    static = webviews_dir() / "static"
    file = next(path for path in sorted(static.rglob("*")) if path.is_file())

    answer = await client.head(f"/static/{file.relative_to(static)}")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(file.stat().st_size)


async def test_unknown_places_of_the_api_are_told_as_json(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/none", "/api/v1/none/at/all", "/api/v1/openapi.yaml", "/api/none"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "route.not_found"), path
        assert answer.headers["cache-control"] == "no-store"


async def test_description_stands_at_its_address(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/openapi.json")

    assert answer.status_code == 200
    assert "/api/v1/members/{member_id}/debits" in answer.json()["paths"]


async def test_pages_name_their_characters_once(client: httpx.AsyncClient) -> None:
    answer = await client.get("/console/sign-in")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_invented_methods_share_one_label(client: httpx.AsyncClient) -> None:
    await client.request("BREW", "/healthz")

    methods = {
        sample.labels["method"]
        for metric in REGISTRY.collect()
        if metric.name == "o2o_http_requests"
        for sample in metric.samples
    }
    assert "other" in methods
    assert "BREW" not in methods


@pytest.mark.parametrize("language, word", [("en", " "), ("zh-CN", "。")])
async def test_refused_stream_says_why(language: str, word: str) -> None:
    async def nobody(_: Scope) -> str | None:
        return None

    hub = Hub("postgresql://127.0.0.1/unused")
    streams = LiveStreams(hub, nobody, words=Words(), route="/h5/{account}/live")
    transport = httpx.ASGITransport(app=Edge(streams, settings=SETTINGS))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        answer = await client.get("/h5/any/live", headers={"Accept-Language": language})

    told = answer.json()
    assert (answer.status_code, told["code"]) == (401, "session.invalid")
    assert word in told["message"]
    assert told["trace_id"] == answer.headers["x-trace-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
