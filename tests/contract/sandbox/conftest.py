"""Starts the real sandbox program and gives tests a client, an account with a product, a person."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.sandbox.product import Keys, Product

SOURCE = Path(__file__).parents[3] / "src"


class Program:
    """One run of `wechat-sandbox serve`; `kill` ends it without any goodbye."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "wechat_sandbox", "serve", "--port", "0"),
                *("--data-dir", str(data_dir), *options),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "ready at " in line, line
        self.url = line.strip().rsplit(" ", 1)[1]

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    running = Program(
        tmp_path_factory.mktemp("sandbox"), "--webview-cookie", "shop", "--webview-cookie", "pad"
    )
    yield running
    assert running.stop() == 0


@pytest.fixture
def http(program: Program) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=program.url, trust_env=False, timeout=40) as client:
        yield client
        client.delete("/_sandbox/faults").raise_for_status()


@dataclass
class Shop:
    """An account, its product and one person, with the calls tests make most."""

    http: httpx.Client
    slug: str
    record: dict[str, Any]
    product: Product
    person: str
    openid: str

    def follow(self, **more: Any) -> dict[str, Any]:
        return self._act("follow", more)

    def unfollow(self) -> dict[str, Any]:
        return self._act("unfollow", {})

    def send(self, **message: Any) -> dict[str, Any]:
        return self._act("messages", message)

    def _act(self, verb: str, more: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(
            f"/_sandbox/people/{self.person}/{verb}", json={"account": self.slug, **more}
        )
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def chat(self) -> list[dict[str, Any]]:
        answer = self.http.get(
            f"/_sandbox/people/{self.person}/chat", params={"account": self.slug}
        )
        messages: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
        return messages

    def token(self) -> str:
        answer = self.http.post(
            "/cgi-bin/stable_token",
            json={
                "grant_type": "client_credential",
                "appid": self.record["appid"],
                "secret": self.record["secret"],
            },
        )
        token: str = answer.json()["access_token"]
        return token

    def call(self, path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
        """One API call with a token: POST with a body, else GET."""
        params = {"access_token": self.token(), **query}
        if body is None:
            answer = self.http.get(path, params=params)
        else:
            answer = self.http.post(path, params=params, json=body)
        assert answer.status_code == 200
        done: dict[str, Any] = answer.json()
        return done

    def books(self, chapter: str) -> list[dict[str, Any]]:
        entries = self.http.get("/_sandbox/books").raise_for_status().json()[chapter]
        return [entry for entry in entries if entry["account"] == self.slug]


def open_shop(http: httpx.Client, product: Product, *, mode: str = "safe") -> Shop:
    """A new account and a new person for this test alone."""
    slug = f"shop-{uuid.uuid4().hex[:8]}"
    record = http.post(
        "/_sandbox/accounts",
        json={"slug": slug, "name": "示例餐厅", "mode": mode, "callback_url": product.url},
    ).json()
    product.keys = Keys(record["appid"], record["token"], record["encoding_aes_key"])
    person = http.post("/_sandbox/people", json={"name": "测试者"}).json()
    return Shop(http, slug, record, product, person["id"], person["openids"][slug])


@pytest.fixture
def product() -> Iterator[Product]:
    with Product() as running:
        yield running


@pytest.fixture
def shop(http: httpx.Client, product: Product) -> Shop:
    return open_shop(http, product)
