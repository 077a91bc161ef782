"""Hears every statement that a test sends, through SQLAlchemy or straight to the driver."""

from typing import Any

import pytest
from sqlalchemy import event

from o2o.infra import direct
from o2o.infra.database import SessionFactory


def heard_statements(sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with every statement from now on."""
    statements: list[str] = []
    engine = sessions.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    fetch = direct._fetch

    async def heard(connection: Any, statement: str, values: tuple[Any, ...]) -> list[direct.Row]:
        statements.append(statement)
        return await fetch(connection, statement, values)

    monkeypatch.setattr(direct, "_fetch", heard)
    return statements
