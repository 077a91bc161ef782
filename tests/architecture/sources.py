"""The project's files as the checks see them: parsed once, and snippets that stand in for files."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# Domains, in no order: what `.importlinter` does not say is which of their modules others may use.
DOMAINS = frozenset(
    {
        "stores",
        "staff",
        "notifications",
        "ledger",
        "payments",
        "membership",
        "promotions",
        "queueing",
        "ordering",
        "survey",
        "conversations",
        "outreach",
        "reports",
    }
)


@dataclass(frozen=True)
class SourceFile:
    """One Python file, or a snippet that pretends to be one."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def module(self) -> str:
        """The dotted name under which it is imported."""
        parts = self.path.removeprefix("src/").removesuffix(".py").split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """The part of o2o that it belongs to: `ledger`, `web`, …; empty outside of o2o."""
        names = self.module.split(".")
        return names[1] if names[0] == "o2o" and len(names) > 1 else ""

    def at(self, node: ast.AST, fact: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {fact}"


def snippet(text: str, *, path: str = "src/o2o/ledger/actions/move_money.py") -> SourceFile:
    """What a check's own test feeds it."""
    return SourceFile(path=path, text=text)


@cache
def project_files() -> tuple[str, ...]:
    """Every file that is or is about to be tracked, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(sorted(name for name in names if name and (ROOT / name).is_file()))


@cache
def python_files(*folders: str) -> tuple[SourceFile, ...]:
    """The Python files below the folders (all, when none is named)."""
    return tuple(
        SourceFile(path=name, text=(ROOT / name).read_text(encoding="utf-8"))
        for name in project_files()
        if name.endswith(".py") and (not folders or name.startswith(folders))
    )


def product_files() -> tuple[SourceFile, ...]:
    return python_files("src/o2o/")


def imports(file: SourceFile) -> Iterator[tuple[ast.AST, str, str, str]]:
    """Each import as (node, module, name in it or "", local name)."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, "", alias.asname or alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield node, node.module or "", alias.name, alias.asname or alias.name


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names; calls and subscripts in the chain are looked through."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return ""


def last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`."""
    return dotted(node).rpartition(".")[2]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def docstrings(tree: ast.Module) -> set[int]:
    """Identities of the constant nodes that are docstrings."""
    owners = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, owners) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def string_constants(file: SourceFile) -> Iterator[ast.Constant]:
    """Every text literal that is no docstring."""
    told = docstrings(file.tree)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node
