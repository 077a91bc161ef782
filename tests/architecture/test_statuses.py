"""A status changes through the domain's table of moves, in an action, and nowhere else."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import (
    SourceFile,
    dotted,
    functions,
    last_name,
    product_files,
    snippet,
    string_constants,
)

TABLES = re.compile(r"src/o2o/(kernel|[a-z]+)/moves\.py")
SQL_MOVE = re.compile(
    r"\bupdate\s+\w+.*\bset\b(?:(?!\bwhere\b).)*\bstatus\s*=", re.IGNORECASE | re.DOTALL
)
ASKS_TABLE = {"check", "sources_of", "move"}


def is_status(name: str) -> bool:
    return name == "status" or name.endswith("_status")


def assignments(file: SourceFile) -> list[str]:
    """`thing.status = …` and setattr outside of a table of moves; a thing may be built with one."""
    if TABLES.fullmatch(file.path):
        return []
    built = {
        id(part)
        for function in functions(file.tree)
        if function.name in {"__init__", "__post_init__"}
        for part in ast.walk(function)
        if isinstance(part, ast.Attribute) and dotted(part.value) == "self"
    }
    found = []
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if is_status(node.attr) and id(node) not in built:
                found.append(file.at(node, "sets a status; use the table of moves"))
        elif isinstance(node, ast.Call) and last_name(node.func) in {"setattr", "set_attribute"}:
            names = [part.value for part in node.args if isinstance(part, ast.Constant)]
            if any(is_status(str(name)) for name in names):
                found.append(file.at(node, "sets a status; use the table of moves"))
    return found


def sets_status(call: ast.Call) -> bool:
    """Whether `.values(…)` or `set_=` of a statement names a status."""
    names = [keyword.arg or "" for keyword in call.keywords]
    mappings = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "set_")]
    for mapping in mappings:
        if isinstance(mapping, ast.Dict):
            names += [
                str(key.value) if isinstance(key, ast.Constant) else last_name(key)
                for key in mapping.keys
                if key is not None
            ]
    return any(is_status(name) for name in names)


def updates(tree: ast.AST) -> Iterator[ast.AST]:
    """Statements that change the status of rows that exist."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        chain = dotted(node.func).split(".")
        is_update = node.func.attr == "values" and "update" in chain[:-1]
        is_upsert = node.func.attr == "on_conflict_do_update"
        if (is_update or is_upsert) and sets_status(node):
            yield node


def asks_table(function: ast.AST) -> bool:
    """Whether a table of moves is asked: `SOME_MOVES.check(…)`, `.sources_of(…)`, `.move(…)`."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ASKS_TABLE
        and dotted(node.value).upper().endswith("MOVES")
        for node in ast.walk(function)
    )


def unchecked_updates(file: SourceFile) -> list[str]:
    """Set-based moves outside of actions, or in a function that asks no table of moves."""
    asked = {
        id(part)
        for function in functions(file.tree)
        if asks_table(function)
        for part in ast.walk(function)
    }
    # A statement may stand as a constant beside the function that runs it: then the file asks.
    inside = {id(part) for function in functions(file.tree) for part in ast.walk(function)}
    statements = [
        *updates(file.tree),
        *(node for node in string_constants(file) if SQL_MOVE.search(str(node.value))),
    ]
    found = []
    for node in statements:
        is_asked = id(node) in asked or (id(node) not in inside and asks_table(file.tree))
        if "/actions/" not in file.path:
            found.append(file.at(node, "moves a status outside of an action"))
        elif not is_asked:
            found.append(file.at(node, "moves a status without asking the table of moves"))
    return found


def test_nobody_sets_a_status_by_hand() -> None:
    assert [fault for file in product_files() for fault in assignments(file)] == []


def test_set_based_moves_ask_the_table() -> None:
    assert [fault for file in product_files() for fault in unchecked_updates(file)] == []


def test_the_check_sees_a_status_set_by_hand() -> None:
    bad = snippet(
        "order.status = S.PAID\norder.kitchen_status: str = 'x'\nsetattr(order, 'status', S.PAID)\n"
        "order.status, x = S.PAID, 1\n"
    )
    seen = sorted(int(fault.split(":")[1]) for fault in assignments(bad))
    assert seen == [1, 2, 3, 4]


def test_things_are_built_with_a_status() -> None:
    fine = "class A:\n def __init__(self) -> None:\n  self.status = 1\n"
    assert assignments(snippet(fine)) == []
    assert assignments(snippet("row.status = to", path="src/o2o/kernel/moves.py")) == []


def test_the_check_sees_set_based_moves_without_a_table() -> None:
    bad = snippet(
        "async def a(tx):\n"
        " await tx.execute(update(Coupon).where(x).values(status=S.REDEEMED))\n"
        "async def b(tx):\n"
        " await tx.execute(insert(Coupon).on_conflict_do_update(set_={'status': 1}))\n"
        "async def c(tx):\n"
        " await tx.execute(text('UPDATE coupons SET at = 1, status = :s WHERE id = 1'))\n"
        "async def d(tx):\n"
        " await tx.execute(update(Coupon).values({Coupon.status: 1}))\n"
    )
    assert sorted(int(fault.split(":")[1]) for fault in unchecked_updates(bad)) == [2, 4, 6, 8]


def test_set_based_moves_belong_in_actions() -> None:
    asked = (
        "async def a(tx):\n sources = COUPON_MOVES.sources_of(S.VOIDED)\n"
        " await tx.execute(update(Coupon).where(x).values(status=S.VOIDED))\n"
    )
    assert unchecked_updates(snippet(asked)) == []
    assert len(unchecked_updates(snippet(asked, path="src/o2o/promotions/queries.py"))) == 1


def test_asking_for_a_status_is_no_move() -> None:
    fine = snippet(
        "S = 'UPDATE coupons SET seen_at = :now WHERE status = :held'\ninsert(C).values(status=1)\n"
    )
    assert unchecked_updates(fine) == []
