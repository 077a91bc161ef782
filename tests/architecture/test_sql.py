"""SQL stands in queries, actions and infrastructure; everybody else calls those."""

import re

from tests.architecture.sources import (
    SourceFile,
    imports,
    product_files,
    snippet,
    string_constants,
)

SQL_PLACES = re.compile(
    r"src/o2o/(crm|infra)/.*"
    r"|src/o2o/\w+/(queries|actions)(\.py|/.*)"
)
# Files outside those places that may hold SQL, each with its reason. Keep it short.
ALLOWED: dict[str, str] = {}
# Types of the database layer are not SQL: anybody may name an engine or catch an error.
NO_SQL = ("sqlalchemy.exc", "sqlalchemy.ext.asyncio", "sqlalchemy.engine")
STATEMENT = re.compile(
    r"\s*(select\s+.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
    r"|with\s+\w+\s+as\s*\(|(create|alter|drop)\s+(table|index|schema)\s|listen\s+\w+$|notify\s+\w+)",
    re.IGNORECASE | re.DOTALL,
)


def sql_out_of_place(file: SourceFile) -> list[str]:
    if SQL_PLACES.fullmatch(file.path) or file.path in ALLOWED:
        return []
    found = [
        file.at(node, f"builds SQL with {module}.{name}; put it into queries or an action")
        for node, module, name, _ in imports(file)
        if module.split(".")[0] in {"sqlalchemy", "asyncpg"} and not module.startswith(NO_SQL)
    ]
    found += [
        file.at(node, "holds an SQL statement; put it into queries or an action")
        for node in string_constants(file)
        if STATEMENT.match(str(node.value))
    ]
    return found


def test_sql_stands_in_its_places() -> None:
    assert [fault for file in product_files() for fault in sql_out_of_place(file)] == []


def test_exceptions_are_still_needed() -> None:
    stale = [
        path
        for path in ALLOWED
        if not any(file.path == path and has_sql(file) for file in product_files())
    ]
    assert stale == []


def has_sql(file: SourceFile) -> bool:
    return bool(sql_out_of_place(SourceFile(path="src/o2o/app/anywhere.py", text=file.text)))


def test_the_check_sees_sql_out_of_place() -> None:
    bad = (
        "from sqlalchemy import select\nimport sqlalchemy as sa\n"
        "Q = 'SELECT id FROM members WHERE x'\nR = f'Update {t}'\n"
        "S = 'UPDATE members SET x = 1'\n"
    )
    faults = sql_out_of_place(snippet(bad, path="src/o2o/membership/web/pad.py"))
    assert sorted(int(fault.split(":")[1]) for fault in faults) == [1, 2, 3, 5]
    assert len(sql_out_of_place(snippet(bad, path="src/o2o/membership/jobs.py"))) == 4


def test_queries_actions_and_infrastructure_hold_sql() -> None:
    fine = "from sqlalchemy import select\n"
    for path in ("membership/queries.py", "membership/queries/find.py", "ledger/actions/move.py"):
        assert sql_out_of_place(snippet(fine, path=f"src/o2o/{path}")) == []
    assert sql_out_of_place(snippet(fine, path="src/o2o/infra/outbox.py")) == []


def test_words_are_not_sql() -> None:
    fine = "a = 'Select a table first.'\nb = 'update your app'\nc = 'With care'\n"
    assert sql_out_of_place(snippet(fine, path="src/o2o/web/errors.py")) == []
