"""Words for people live in copy files, complete in both languages; Python holds none of them."""

import ast
import io
import re
import tokenize
import tomllib
from pathlib import Path
from typing import Any

from tests.architecture.sources import (
    ROOT,
    SourceFile,
    docstrings,
    product_files,
    python_files,
    snippet,
    string_constants,
)

CHINESE = re.compile("[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
# Two in a row make a word; a single one may be the end of a character range in a pattern.
CHINESE_WORD = re.compile("[\u3400-\u9fff]{2}")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
COPY = ROOT / "webviews" / "copy"
SANDBOX_COPY = ROOT / "src" / "wechat_sandbox" / "copy"
ERROR_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def chinese_literals(file: SourceFile) -> list[str]:
    """Text literals with Chinese characters, written out or escaped. Comments may hold them."""
    told = docstrings(file.tree)
    starts = {
        (node.lineno, node.col_offset)
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Constant) and id(node) in told
    }
    literal_tokens = {
        kind
        for name in ("STRING", "FSTRING_MIDDLE")
        if (kind := getattr(tokenize, name, None)) is not None
    }
    lines = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(file.text).readline)
        if token.type in literal_tokens
        and token.start not in starts
        and CHINESE.search(token.string)
    }
    lines |= {
        node.lineno for node in string_constants(file) if CHINESE_WORD.search(str(node.value))
    }
    return [f"{file.path}:{line}: Chinese text belongs in a copy file" for line in sorted(lines)]


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables as dotted keys."""
    found: dict[str, str] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: str(value)}
    return found


def read_copy(path: Path) -> dict[str, str]:
    return flat(tomllib.loads(path.read_text(encoding="utf-8")))


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def copy_differences(chinese: dict[str, str], english: dict[str, str]) -> list[str]:
    """Keys that one language lacks, texts that are empty or fill in other things."""
    faults = [f"{key}: not in both languages" for key in sorted(chinese.keys() ^ english.keys())]
    for key in sorted(chinese.keys() & english.keys()):
        if not chinese[key].strip() or not english[key].strip():
            faults.append(f"{key}: empty")
        elif placeholders(chinese[key]) != placeholders(english[key]):
            faults.append(f"{key}: fills in other things in one language")
    return faults


def copy_pairs() -> list[tuple[Path, Path]]:
    """The two languages' files, of the product by name and of the sandbox."""
    names = {path.name for path in COPY.glob("*/*.toml")}
    pairs = [(COPY / "zh_CN" / name, COPY / "en" / name) for name in sorted(names)]
    if SANDBOX_COPY.exists():
        pairs.append((SANDBOX_COPY / "zh_CN.toml", SANDBOX_COPY / "en.toml"))
    return pairs


def error_codes(files: tuple[SourceFile, ...]) -> dict[str, str]:
    """The stable codes of all named facts, with where each stands."""
    classes = [
        (file, node)
        for file in files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ClassDef)
    ]
    facts, grown = {"Fact"}, True
    while grown:
        derived = {
            node.name
            for _, node in classes
            for base in node.bases
            if ast.unparse(base).rpartition(".")[2] in facts
        }
        grown = not derived <= facts
        facts |= derived
    codes = {}
    for file, node in classes:
        if node.name not in facts:
            continue
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            target = statement.target if isinstance(statement, ast.AnnAssign) else target
            value = getattr(statement, "value", None)
            named = isinstance(target, ast.Name) and target.id == "code"
            if named and isinstance(value, ast.Constant):
                codes[str(value.value)] = file.at(statement, node.name)
    return codes


def code_differences(codes: dict[str, str], copy: dict[str, str]) -> list[str]:
    """Facts without words, words without a fact, codes of another form."""
    worded = {code for code in codes if any(k == code or k.startswith(f"{code}.") for k in copy)}
    orphans = [
        key for key in copy if not any(key == code or key.startswith(f"{code}.") for code in codes)
    ]
    return [
        *(f"{where} has a code of another form: {c}" for c, where in codes.items() if is_odd(c)),
        *(f"{codes[code]} has no words for {code}" for code in sorted(codes.keys() - worded)),
        *(f"words for {key}, which nothing raises" for key in sorted(orphans)),
    ]


def is_odd(code: str) -> bool:
    return ERROR_CODE.fullmatch(code) is None


def test_no_chinese_in_python() -> None:
    assert [fault for file in python_files("src/") for fault in chinese_literals(file)] == []


def test_both_languages_say_the_same_things() -> None:
    faults = [
        f"{chinese.name}: {fault}"
        for chinese, english in copy_pairs()
        for fault in (
            copy_differences(read_copy(chinese), read_copy(english))
            if chinese.exists() and english.exists()
            else ["exists in one language only"]
        )
    ]
    assert faults == []


def test_every_error_has_words_and_no_words_are_left_over() -> None:
    codes = error_codes(product_files())
    faults = [
        f"{path.parent.name}: {fault}"
        for path in sorted(COPY.glob("*/errors.toml"))
        for fault in code_differences(codes, read_copy(path))
    ]
    assert faults == []


def test_the_check_sees_chinese_literals() -> None:
    bad = snippet(
        '"""会员。"""\n# 会员\nA = "会员"\nB = f"{x}元"\nC = "\\u4f1a\\u5458"\n'
        'D = "a:b"\nE = "a\uff1ab"\n'
    )
    assert [int(fault.split(":")[1]) for fault in chinese_literals(bad)] == [3, 4, 5, 7]
    fine = snippet('RANGE = "[\\u4e00-\\u9fff]"\n\ndef f() -> None:\n    """会员。"""\n')
    assert chinese_literals(fine) == []


def test_the_check_sees_copy_that_differs() -> None:
    chinese = {"a": "{count} 桌", "b": "好", "c": "只有中文", "d": " "}
    english = {"a": "{number} tables", "b": "fine", "d": "x"}
    assert copy_differences(chinese, english) == [
        "c: not in both languages",
        "a: fills in other things in one language",
        "d: empty",
    ]


def test_the_check_sees_errors_without_words_and_orphans() -> None:
    files = (
        snippet("class Conflict(Fact): pass\n", path="src/o2o/kernel/errors.py"),
        snippet(
            "class CouponExpired(errors.Conflict):\n    code = 'coupon.expired'\n"
            "class Worded(CouponExpired):\n    code: ClassVar[str] = 'coupon.worded'\n"
            "class Odd(Fact):\n    code = 'Odd'\n"
            "class Other:\n    code = 'no.fact'\n"
        ),
    )
    copy = flat({"coupon": {"worded": {"title": "x"}, "gone": "y"}})
    assert code_differences(error_codes(files), copy) == [
        "src/o2o/ledger/actions/move_money.py:6: Odd has a code of another form: Odd",
        "src/o2o/ledger/actions/move_money.py:6: Odd has no words for Odd",
        "src/o2o/ledger/actions/move_money.py:2: CouponExpired has no words for coupon.expired",
        "words for coupon.gone, which nothing raises",
    ]
