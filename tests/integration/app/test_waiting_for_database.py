"""`o2o serve` beside a database that is not there yet, as after a crash of the whole machine."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from o2o.app import serving
from o2o.app.serving import wait_for_database
from o2o.infra.database import DatabaseAway
from o2o.infra.settings import Settings
from tests.integration.app.programs import SECRET_KEY, free_port

PASSED_ON_BYTES = 65_536


def settings_at(port: int, *, database: str) -> Settings:
    url = f"postgresql://postgres@127.0.0.1:{port}/{database}"
    return Settings(database_url=url, secret_key=SECRET_KEY)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(PASSED_ON_BYTES):
            writer.write(data)
    writer.close()


async def test_a_database_that_answers_later_is_waited_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not what is printed: an earlier test may have set logging up otherwise.
    said: list[str] = []
    monkeypatch.setattr(serving.log, "warning", lambda event, **_: said.append(event))
    real, port = make_url(database_url), free_port()
    socket = Path(str(real.query["host"])) / f".s.PGSQL.{real.query.get('port', 5432)}"

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_unix_connection(str(socket))
        await asyncio.gather(pass_on(reader, upstream[1]), pass_on(upstream[0], writer))

    waiting = asyncio.create_task(wait_for_database(settings_at(port, database=str(real.database))))
    await asyncio.sleep(serving.DATABASE_LOOK_SECONDS * 1.5)
    assert not waiting.done()
    async with await asyncio.start_server(connect, "127.0.0.1", port):
        await asyncio.wait_for(waiting, 30)
    assert set(said) == {"database.waited_for"}


async def test_a_database_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "DATABASE_WAIT_SECONDS", 0.0)
    with pytest.raises(DatabaseAway):
        await wait_for_database(settings_at(free_port(), database="none"))
