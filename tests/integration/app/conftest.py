"""A database of this folder's own, a real sandbox, and an installation that uses both."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from o2o.infra.migrations import migrate
from tests.contract.sandbox.conftest import Program
from tests.fixtures.database import create_database
from tests.integration.app.programs import SECRET_KEY, Installation, free_port


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The sandbox's control API."""
    running = Program(tmp_path_factory.mktemp("sandbox"))
    with httpx.Client(base_url=running.url, trust_env=False, timeout=40) as client:
        yield client
    assert running.stop() == 0


@pytest.fixture(scope="module")
def empty_database(server_url: str, request: pytest.FixtureRequest) -> str:
    """The address of a database without any table."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = request.module.__name__.rpartition(".")[2]
    return create_database(server_url, f"{name}_{worker}")


@pytest.fixture(scope="module")
def installation(
    empty_database: str, sandbox: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """A migrated installation that talks to the sandbox; nothing is served yet."""
    migrate(empty_database)
    url = str(sandbox.base_url).rstrip("/")
    port = free_port()
    return Installation(
        database_url=empty_database,
        data_dir=str(private(tmp_path_factory.mktemp("data"))),
        secret_key=SECRET_KEY,
        demo="1",
        log_json="0",
        port=str(port),
        public_url=f"http://127.0.0.1:{port}",
        wechat_api_url=url,
        wechat_oauth_url=url,
        wechat_pay_url=url,
        wechat_jssdk_url=f"{url}/jweixin.js",
    )


def private(folder: Path) -> Path:
    folder.chmod(0o700)
    return folder
