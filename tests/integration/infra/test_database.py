"""The database: nobody else commits, durability is demanded, models and migrations agree."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic import command
from o2o.infra.database import (
    DatabaseAway,
    DurabilityOff,
    SessionFactory,
    check_durability,
    create_engine,
    create_sessions,
    transaction,
    violated_constraint,
)
from o2o.infra.idempotency import RequestBodyDiffers, body_hash, claim_request, keep_answer
from o2o.infra.migrations import migrate, migration_config
from o2o.kernel.ids import new_request_id
from tests.fakes.clock import NOON
from tests.fixtures.database import create_database


async def test_only_the_transaction_itself_commits(sessions: SessionFactory) -> None:
    with pytest.raises(AssertionError, match="only o2o"):
        async with transaction(sessions) as tx:
            await tx.commit()
    with pytest.raises(AssertionError, match="raise an error"):
        async with transaction(sessions) as tx:
            await tx.rollback()


async def test_a_database_that_is_not_there_is_named() -> None:
    engine = create_engine("postgresql://postgres@127.0.0.1:1/none", pool_size=1)
    with pytest.raises(DatabaseAway):
        async with transaction(create_sessions(engine)) as tx:
            await tx.execute(text("SELECT 1"))
    await engine.dispose()


@pytest.mark.parametrize("owner", ["DATABASE {db}", "ROLE postgres IN DATABASE {db}"])
async def test_a_database_that_may_forget_is_refused(server_url: str, owner: str) -> None:
    url = create_database(server_url, "test_durability")
    engine = create_engine(url, pool_size=1)
    await check_durability(engine)
    async with engine.begin() as connection:
        database = connection.engine.url.database
        await connection.execute(
            text(f"ALTER {owner.format(db=database)} SET synchronous_commit = off")
        )
    await engine.dispose()
    with pytest.raises(DurabilityOff, match="synchronous_commit is off"):
        await check_durability(engine)
    await engine.dispose()


def test_migrations_run_down_and_up_again_and_agree_with_the_models(server_url: str) -> None:
    url = create_database(server_url, "test_migrations")
    migrate(url)
    command.downgrade(migration_config(url), "base")
    migrate(url)
    command.check(migration_config(url))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'x'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ],
)
async def test_the_audit_trail_cannot_be_changed(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO audit_entries (at, actor_kind, action, detail)"
                " VALUES (now(), 'system', 'test.done', '{}')"
            )
        )
    with pytest.raises(DBAPIError) as caught:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert violated_constraint(caught.value) == "append_only"


async def test_a_request_id_is_answered_once_and_guards_its_body(sessions: SessionFactory) -> None:
    request_id = new_request_id()
    asked = body_hash("test", {"a": 1})

    async def do() -> dict[str, object] | None:
        async with transaction(sessions) as tx:
            earlier = await claim_request(
                tx, request_id=request_id, operation="test", asked=asked, now=NOON
            )
            if earlier is None:
                await asyncio.sleep(0.05)
                await keep_answer(tx, request_id=request_id, answer={"done": 1})
            return earlier

    outcomes = await asyncio.gather(*(do() for _ in range(5)))
    assert outcomes.count(None) == 1
    assert outcomes.count({"done": 1}) == 4
    with pytest.raises(RequestBodyDiffers):
        async with transaction(sessions) as tx:
            await claim_request(
                tx,
                request_id=request_id,
                operation="test",
                asked=body_hash("test", {"a": 2}),
                now=NOON,
            )
