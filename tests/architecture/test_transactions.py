"""One place commits, and actions, queries, rules and web never open a transaction of their own."""

import ast
import re

from tests.architecture.sources import SourceFile, dotted, product_files, snippet, string_constants

THE_ONE_PLACE = "src/o2o/infra/database.py"
ENDING_OR_OPENING = {"commit", "rollback", "begin", "begin_nested", "savepoint"}
# These are called inside a transaction that somebody else opened.
ALWAYS_INSIDE = re.compile(r"src/o2o/(?!infra/|app/|web/)\w+/(actions|queries|rules|web)(/|\.py)")
CONTROL_SQL = re.compile(
    r"\s*(begin|commit|rollback|savepoint|start transaction|release savepoint)\b[^.]*$",
    re.IGNORECASE,
)


def commits(file: SourceFile) -> list[str]:
    """Everything in the file that opens or ends a transaction by itself."""
    if file.path == THE_ONE_PLACE:
        return []
    found = []
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in ENDING_OR_OPENING:
                found.append(file.at(node, f"calls .{name}(); only {THE_ONE_PLACE} does"))
            if name == "transaction" and dotted(node.func) != "database.transaction":
                found.append(file.at(node, "opens a driver's transaction beside the one"))
        if isinstance(node, ast.Constant) and node.value == "AUTOCOMMIT":
            found.append(file.at(node, "commits each statement by itself"))
    found += [
        file.at(node, "controls a transaction by SQL")
        for node in string_constants(file)
        if CONTROL_SQL.fullmatch(str(node.value)) and is_executed(file, node)
    ]
    return found


def is_executed(file: SourceFile, constant: ast.Constant) -> bool:
    """Whether the text is an argument of a call that runs SQL, directly or through text()."""
    running = {"execute", "text", "exec_driver_sql", "scalar", "scalars", "DDL"}
    return any(
        isinstance(node, ast.Call)
        and dotted(node.func).rpartition(".")[2] in running
        and constant in node.args
        for node in ast.walk(file.tree)
    )


def own_transactions(file: SourceFile) -> list[str]:
    """Calls of transaction() where a transaction is already given."""
    if not ALWAYS_INSIDE.match(file.path):
        return []
    return [
        file.at(node, "opens a transaction; it is given one as `tx`")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func) in {"transaction", "database.transaction"}
    ]


def test_only_the_database_module_opens_and_ends_transactions() -> None:
    assert [fault for file in product_files() for fault in commits(file)] == []


def test_actions_queries_rules_and_web_are_given_their_transaction() -> None:
    assert [fault for file in product_files() for fault in own_transactions(file)] == []


def test_the_check_sees_every_way_to_commit() -> None:
    bad = snippet(
        "await tx.commit()\n"
        "async with sessions.begin() as tx: pass\n"
        "async with tx.begin_nested(): pass\n"
        "async with connection.transaction(): pass\n"
        "engine.execution_options(isolation_level='AUTOCOMMIT')\n"
        "await tx.execute(text('COMMIT'))\n"
        "await tx.rollback()\n"
    )
    assert sorted(int(fault.split(":")[1]) for fault in commits(bad)) == [1, 2, 3, 4, 5, 6, 7]


def test_the_check_sees_a_transaction_of_ones_own() -> None:
    bad = "async with transaction(sessions) as tx: pass"
    assert len(own_transactions(snippet(bad))) == 1
    assert len(own_transactions(snippet(bad, path="src/o2o/ordering/web/pad.py"))) == 1
    assert own_transactions(snippet(bad, path="src/o2o/infra/relay.py")) == []


def test_words_are_not_sql() -> None:
    fine = snippet("async with database.transaction(sessions) as tx: note('Commit the books.')\n")
    assert commits(fine) == []
