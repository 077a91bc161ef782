"""Money is an integer of fen: no float, no Decimal, no true division where money is counted."""

import ast
import re

from tests.architecture.sources import (
    SourceFile,
    dotted,
    last_name,
    parameters,
    product_files,
    snippet,
)

# In these files nothing is a fraction, whatever it is called.
MONEY_FILES = re.compile(
    r"src/o2o/((ledger|payments)/.*|kernel/money|crm/(ledger|payments)\w*)(\.py)?"
)
MONEY_NAME = re.compile(r"\w*_(fen|bp)|fen|\w*points")
INEXACT_NAMES = {"float", "Decimal", "decimal", "Fraction", "Numeric", "Float", "Double", "round"}


def is_inexact(node: ast.AST) -> bool:
    """A float, a name for one, or a division that makes one."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float | complex)
    if isinstance(node, ast.Name | ast.Attribute):
        return last_name(node) in INEXACT_NAMES
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return isinstance(node.op, ast.Div)
    return False


def names_money(node: ast.AST | None) -> bool:
    """Whether a name in the expression says that it is an amount."""
    return node is not None and any(
        isinstance(part, ast.Name | ast.Attribute) and MONEY_NAME.fullmatch(last_name(part))
        for part in ast.walk(node)
    )


def holds_inexact(node: ast.AST | None) -> bool:
    return node is not None and any(is_inexact(part) for part in ast.walk(node))


def everywhere_in_money_files(file: SourceFile) -> list[str]:
    if not MONEY_FILES.fullmatch(file.path):
        return []
    return [
        file.at(node, "money code holds no float, Decimal, round() or true division")
        for node in ast.walk(file.tree)
        if is_inexact(node)
    ]


def amounts_of_other_kinds(file: SourceFile) -> list[str]:
    """Anything named as an amount that is declared, given or computed as a fraction."""
    found = []
    for node in ast.walk(file.tree):
        if isinstance(node, ast.AnnAssign):
            bad = names_money(node.target) and (
                holds_inexact(node.annotation) or holds_inexact(node.value)
            )
        elif isinstance(node, ast.Assign):
            bad = any(names_money(target) for target in node.targets) and holds_inexact(node.value)
        elif isinstance(node, ast.keyword):
            named = bool(node.arg and MONEY_NAME.fullmatch(node.arg))
            bad = named and holds_inexact(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            bad = names_money(node.left) or names_money(node.right)
        elif isinstance(node, ast.AugAssign):
            bad = names_money(node.target) and (is_inexact(node) or holds_inexact(node.value))
        elif isinstance(node, ast.Call):
            bad = dotted(node.func) in INEXACT_NAMES and any(map(names_money, node.args))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            bad = holds_fraction_in_signature(node)
        else:
            continue
        if bad:
            found.append(file.at(node, "an amount is an integer; divide with // and say who gains"))
    return found


def holds_fraction_in_signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    takes = any(
        MONEY_NAME.fullmatch(parameter.arg) and holds_inexact(parameter.annotation)
        for parameter in parameters(node)
    )
    return takes or bool(MONEY_NAME.fullmatch(node.name) and holds_inexact(node.returns))


def test_money_files_know_no_fractions() -> None:
    assert [fault for file in product_files() for fault in everywhere_in_money_files(file)] == []


def test_amounts_are_integers_everywhere() -> None:
    assert [fault for file in product_files() for fault in amounts_of_other_kinds(file)] == []


def test_the_check_sees_fractions_in_money_files() -> None:
    bad = snippet(
        "a = 0.5\nfrom decimal import Decimal\nb = Decimal('1')\nc = x / y\nd: float\nx /= 2\n"
    )
    assert {int(fault.split(":")[1]) for fault in everywhere_in_money_files(bad)} == {1, 3, 4, 5, 6}
    elsewhere = snippet("a = 0.5\n", path="src/o2o/queueing/rules.py")
    assert everywhere_in_money_files(elsewhere) == []


def test_the_check_sees_fractional_amounts() -> None:
    bad = snippet(
        "price_fen: float = 1\n"
        "total_fen = int(x * 0.9)\n"
        "pay(amount_fen=1.5)\n"
        "half = line.price_fen / 2\n"
        "total_fen /= 2\n"
        "shown = float(row.balance_fen)\n"
        "def quote(discount_bp: Decimal) -> int: ...\n"
        "def total_fen() -> float: ...\n"
        "points: Mapped[Decimal]\n"
        "shown = round(points)\n",
        path="src/o2o/promotions/rules.py",
    )
    seen = {int(fault.split(":")[1]) for fault in amounts_of_other_kinds(bad)}
    assert seen == set(range(1, 11))


def test_whole_division_and_seconds_are_fine() -> None:
    fine = snippet(
        "share_fen = total_fen // 3\nwait_seconds = 0.5\nratio = done / wanted\n",
        path="src/o2o/promotions/rules.py",
    )
    assert amounts_of_other_kinds(fine) == []
