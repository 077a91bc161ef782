"""Files are short and say their purpose in the first line; functions are short; names are ours."""

import ast
import re

from tests.architecture.sources import (
    ROOT,
    SourceFile,
    functions,
    project_files,
    python_files,
    snippet,
)

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
WRITTEN_BY_HAND = (".py", ".js", ".mjs", ".css", ".html", ".sh", ".sql")
# A migration lists columns once and is never changed: splitting it would hide what it creates.
LONG_FUNCTIONS_ALLOWED = ("alembic/versions/",)
# Words that say nothing about what a thing is for, and abbreviations nobody says aloud.
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "handler", "mbr", "cfg", "mgr", "kot", "misc"}
MODULE_LIKE = ("src/", "tests/", "bench/", "chaos/", "scripts/", "alembic/")


def long_functions(file: SourceFile) -> list[str]:
    if file.path.startswith(LONG_FUNCTIONS_ALLOWED):
        return []
    return [
        file.at(node, f"{node.name} has {lines} lines, more than {FUNCTION_LINES_MAX}")
        for node in functions(file.tree)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def long_file(path: str, text: str) -> list[str]:
    lines = text.count("\n") + (not text.endswith("\n"))
    return [f"{path}: {lines} lines, more than {FILE_LINES_MAX}"] if lines > FILE_LINES_MAX else []


def purposeless(file: SourceFile) -> list[str]:
    """A first line that is no docstring, or one that goes on without having said something."""
    body = file.tree.body
    first = body[0] if body else None
    told = ast.get_docstring(file.tree)
    if first is None or first.lineno != 1 or not told:
        return [f"{file.path}:1: the first line does not say what the file is for"]
    return []


def empty_names(file: SourceFile) -> list[str]:
    """Names of files, classes and functions with a word that the glossary refuses."""
    found = [f"{file.path}:1: named for nothing"] if has_empty_word(file.module) else []
    for node in ast.walk(file.tree):
        named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, named) and has_empty_word(node.name) and not is_override(node):
            found.append(file.at(node, f"{node.name} says nothing; see GLOSSARY.md"))
    return found


def is_override(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a library chose the name, and mypy holds it to that (``@override``)."""
    return any(isinstance(mark, ast.Name) and mark.id == "override" for mark in node.decorator_list)


def has_empty_word(name: str) -> bool:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return any(word.lower() in EMPTY_WORDS for word in words)


def test_files_are_short() -> None:
    faults = [
        fault
        for path in project_files()
        if path.endswith(WRITTEN_BY_HAND)
        for fault in long_file(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert faults == []


def test_functions_are_short() -> None:
    assert [fault for file in python_files() for fault in long_functions(file)] == []


def test_files_say_their_purpose_first() -> None:
    assert [fault for file in python_files(*MODULE_LIKE) for fault in purposeless(file)] == []


def test_names_say_something() -> None:
    assert [fault for file in python_files("src/") for fault in empty_names(file)] == []


def test_the_check_sees_length() -> None:
    body = "    pass\n"
    assert long_functions(snippet("def f():\n" + body * 59)) == []
    assert len(long_functions(snippet("async def f():\n" + body * 60))) == 1
    assert long_file("a.css", "x\n" * 400) == []
    assert long_file("a.css", "x\n" * 400 + "x") == ["a.css: 401 lines, more than 400"]


def test_the_check_sees_a_missing_purpose() -> None:
    for bad in ("", "import os\n", '\n"""Late."""\n', '"""  """\n', "# comment\n'''Late.'''\n"):
        assert len(purposeless(snippet(bad))) == 1, bad
    assert purposeless(snippet('"""What it is for."""\n')) == []


def test_the_check_sees_empty_names() -> None:
    bad = snippet(
        "class CouponHelper: pass\ndef get_cfg(): pass\nclass KOT: pass\n",
        path="src/o2o/ledger/utils.py",
    )
    assert len(empty_names(bad)) == 4
    fine = snippet("class StoreManager: pass\ndef handle(): pass\nclass Utility: pass\n")
    theirs = snippet("class Mine(Theirs):\n    @override\n    def on_handler(self): pass\n")
    assert empty_names(theirs) == []
    assert empty_names(fine) == []
