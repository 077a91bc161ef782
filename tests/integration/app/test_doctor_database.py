"""The doctor on database, relay and disk: each fault by its code, and never a stack trace."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from o2o.app.doctor.database import examine_database
from o2o.app.doctor.relay import examine_relay
from o2o.app.runtime import Runtime, open_runtime
from o2o.infra.embedded_postgres import postgres_program
from o2o.infra.settings import read_settings
from tests.fixtures.database import create_database
from tests.integration.app.conftest import private
from tests.integration.app.programs import SECRET_KEY, Installation, codes, free_port


def psql(url: str, statement: str) -> None:
    subprocess.run(
        [str(postgres_program("psql")), url, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement],
        check=True,
        capture_output=True,
    )


def runtime_of(installation: Installation) -> Runtime:
    return open_runtime(read_settings(installation.environment()))


def examined(installation: Installation) -> dict[str, str]:
    """Codes about the database."""

    async def run() -> dict[str, str]:
        runtime = runtime_of(installation)
        _, remarks = await examine_database(runtime)
        await runtime.engine.dispose()
        return {remark.code: remark.level.value for remark in remarks}

    return asyncio.run(run())


def test_a_good_database(installation: Installation) -> None:
    assert examined(installation) == {
        "database.good": "ok",
        "database.durable": "ok",
        "schema.current": "ok",
    }


def test_nobody_listens(installation: Installation) -> None:
    away = f"postgresql://o2o:password@127.0.0.1:{free_port()}/o2o"
    assert examined(installation.but(database_url=away)) == {"database.away": "fail"}


def test_a_database_that_is_not_there(installation: Installation) -> None:
    url = installation.settings["database_url"].replace("/test_doctor", "/no_test_doctor", 1)
    assert examined(installation.but(database_url=url)) == {"database.missing": "fail"}


def test_a_server_that_would_forget(installation: Installation) -> None:
    url = installation.settings["database_url"]
    name = url.partition("?")[0].rpartition("/")[2]
    psql(url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        found = examined(installation)
    finally:
        psql(url, f"ALTER DATABASE {name} RESET synchronous_commit")
    assert found["database.forgetful"] == "fail"


@pytest.mark.parametrize("revision,code", [("0001", "schema.behind"), ("9999", "schema.newer")])
def test_another_revision(installation: Installation, revision: str, code: str) -> None:
    url = installation.settings["database_url"]
    head = _head(installation)
    psql(url, f"UPDATE alembic_version SET version_num = '{revision}'")
    try:
        found = examined(installation)
    finally:
        psql(url, f"UPDATE alembic_version SET version_num = '{head}'")
    assert found[code] == "fail"


def _head(installation: Installation) -> str:
    ended = subprocess.run(
        [
            *(str(postgres_program("psql")), installation.settings["database_url"]),
            *("-qtAX", "-c", "SELECT version_num FROM alembic_version"),
        ],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return ended.stdout.strip()


def test_an_empty_database_is_told_with_its_cure(installation: Installation) -> None:
    url = installation.settings["database_url"]
    psql(url, "ALTER TABLE alembic_version RENAME TO alembic_version_aside")
    try:
        found = examined(installation)
    finally:
        psql(url, "ALTER TABLE alembic_version_aside RENAME TO alembic_version")
    assert found["schema.empty"] == "fail"


async def test_the_relay(installation: Installation) -> None:
    runtime = runtime_of(installation)

    async def found() -> dict[str, str]:
        return {r.code: r.level.value for r in await examine_relay(runtime)}

    async def run(statement: str) -> None:
        async with runtime.engine.begin() as connection:
            await connection.execute(text(statement))

    assert await found() == {"relay.never_ran": "fail", "outbox.good": "ok"}
    await run(
        "INSERT INTO scheduled_jobs (name, every_seconds, due_at)"
        " VALUES ('a.job', 600, now() + interval '10 minutes')"
    )
    assert await found() == {"relay.running": "ok", "outbox.good": "ok"}
    await run(
        "UPDATE scheduled_jobs SET due_at = now() - interval '30 minutes', last_error = 'E()'"
    )
    await run(
        "INSERT INTO outbox_messages (topic, payload, created_at, available_at, dead_at)"
        " VALUES ('a.topic', '{}', now() - interval '1 hour', now(), NULL),"
        " ('a.topic', '{}', now(), now(), now())"
    )
    assert await found() == {
        "relay.stopped": "fail",
        "relay.job_failed": "warn",
        "outbox.late": "warn",
        "outbox.dead": "warn",
    }
    await run("DELETE FROM outbox_messages")
    await run("DELETE FROM scheduled_jobs")
    await runtime.engine.dispose()


def test_a_whole_examination_of_what_nobody_set_up(
    installation: Installation, tmp_path: Path
) -> None:
    status, findings = Installation(
        secret_key=SECRET_KEY,
        data_dir=str(private(tmp_path)),
        public_url="http://10.0.0.5:8000/o2o",
    ).examine()
    assert status == 1
    assert codes(findings) == {
        "settings.good": "ok",
        "address.not_https": "fail",
        "address.has_path": "fail",
        "address.port": "fail",
        "address.private": "fail",
        "cookies.open": "fail",
        "sms.off": "warn",
        "disk.writable": "ok",
        "spool.empty": "ok",
        "database.not_created": "fail",
    }


def test_no_account_is_registered_and_nothing_serves(installation: Installation) -> None:
    status, findings = installation.examine()
    assert status == 1
    found = codes(findings)
    assert found["accounts.none"] == "fail"
    assert found["relay.never_ran"] == "fail"
    assert found["product.not_here"] == "warn"


@pytest.mark.parametrize(
    "url,code",
    [
        ("postgresql://o2o:password@127.0.0.1:port/o2o", "database.address_wrong"),
        ("postgresql://o2o:password@no-such-host.invalid/o2o", "database.away"),
    ],
)
def test_an_address_that_leads_nowhere_ends_in_a_sentence_without_its_password(
    installation: Installation, url: str, code: str
) -> None:
    ended = installation.but(database_url=url.replace("password", "hunter2")).run("doctor")
    assert ended.returncode == 1
    assert ended.stderr == ""
    assert "hunter2" not in ended.stdout
    status, findings = installation.but(database_url=url).examine()
    assert (status, codes(findings)[code]) == (1, "fail")


def test_other_commands_say_in_a_sentence_that_the_database_is_away(
    installation: Installation,
) -> None:
    away = f"postgresql://o2o:password@127.0.0.1:{free_port()}/o2o"
    for command in ("account", "store", "staff", "key"):
        ended = installation.but(database_url=away).run(command, "list")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == "Error: The database cannot be reached; o2o doctor says why.\n"


def test_other_commands_say_that_the_schema_is_missing(
    installation: Installation, server_url: str
) -> None:
    unmigrated = create_database(server_url, "test_unmigrated")
    ended = installation.but(database_url=unmigrated).run("account", "list")
    assert ended.returncode == 1
    assert ended.stderr.endswith("run o2o migrate.\n")
