"""What the documents name exists: paths, links, make targets and settings."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.architecture.sources import ROOT, SourceFile, product_files, project_files, snippet

CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
MAKE = re.compile(r"\bmake ([a-z][a-z-]+)\b")
SETTING = re.compile(r"\bO2O_[A-Z][A-Z0-9_]*[A-Z0-9]\b")
ENDINGS = re.compile(
    r"\.(py|md|toml|html|css|m?js|sh|ini|yml|yaml|lock|json|sql|example|mako|svg|png|jpg|webp)$"
)
PATH = re.compile(r"[\w.@-]+(/[\w.@*{},-]+)*/?")
# Made while building or running, so they are named but not tracked.
MADE_LATER = {
    ".venv",
    ".o2o",
    "demo.json",
    "manifest.json",
    "webviews/node_modules",
    "webviews/static/dist",
}
# Words of the design, whether or not there is one of each now: files of a domain, kinds of tests.
VOCABULARY = {
    "docs/adr",
    "tests/browser",
    "tests/concurrency",
    "tests/contract",
    "tests/factories",
    "tests/fakes",
    "tests/integration",
    "tests/journeys",
    "tests/property",
    "rules.py",
    "rules/",
    "moves.py",
    "queries.py",
    "actions/",
    "actions/verb_noun.py",
    "events.py",
    "errors.py",
    "jobs.py",
    "chat.py",
    "web/",
    "web/diner.py",
    "web/pad.py",
    "web/console.py",
    "web/api.py",
    "web/views.py",
}


def known_places(files: Iterable[str]) -> set[str]:
    """Every tracked file and folder, also as seen from `src`, `src/o2o` and by its bare name."""
    places: set[str] = set()
    for name in files:
        path = PurePosixPath(name)
        for place in (path, *path.parents):
            places.add(str(place))
            for root in ("src", "src/o2o"):
                if place.is_relative_to(root):
                    places.add(str(place.relative_to(root)))
        places.add(path.name)
    return places


def looks_like_path(span: str, tops: set[str]) -> bool:
    """Whether a code span means a file or folder of this repository."""
    if not PATH.fullmatch(span):
        return False
    first = span.split("/", maxsplit=1)[0]
    return bool(ENDINGS.search(span)) or ("/" in span and first in tops)


def missing_paths(document: str, text: str, files: Iterable[str]) -> list[str]:
    """Named paths and relative links of a document that lead nowhere."""
    files = tuple(files)
    places = known_places(files)
    tops = {name.split("/")[0] for name in files if "/" in name} | {"docs", "alembic"}
    beside = PurePosixPath(document).parent
    named = [span for span in CODE_SPAN.findall(text) if looks_like_path(span, tops)]
    return [
        f"{document}: {span} does not exist"
        for span in [*named, *LINK.findall(text)]
        if not exists(span, places, beside)
    ]


def exists(span: str, places: set[str], beside: PurePosixPath) -> bool:
    plain = span.rstrip("/").removeprefix("./")
    if span in VOCABULARY or any(plain == p or plain.startswith(f"{p}/") for p in MADE_LATER):
        return True
    if plain in places or str(beside / plain) in places:
        return True
    if re.search(r"[*{]", plain):
        pattern = re.compile(
            "".join(
                {"*": "[^/]*", "{": "(", "}": ")", ",": "|"}.get(part, re.escape(part))
                for part in plain
            )
        )
        return any(pattern.fullmatch(place) for place in places)
    return False


def missing_targets(document: str, text: str, makefile: str) -> list[str]:
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    code = [*CODE_SPAN.findall(text), *re.findall(r"(?s)```.*?```", text)]
    named = {target for part in code for target in MAKE.findall(part)}
    return [f"{document}: there is no make {target}" for target in sorted(named - targets)]


def read_settings(files: Iterable[SourceFile]) -> set[str]:
    """The settings that the program reads: fields of Settings and names it asks for."""
    found: set[str] = set()
    for file in files:
        if file.path == "src/o2o/infra/settings.py":
            body = (
                file.text.split("class Settings(", 1)[-1].split("\n@", 1)[0].split("\n    @", 1)[0]
            )
            fields = re.findall(r"^    ([a-z_]+): ", body, re.MULTILINE)
            found |= {f"O2O_{name.upper()}" for name in fields}
        found |= set(re.findall(r"[\"'](O2O_[A-Z0-9_]+)[\"']", file.text))
    return found


def documents() -> list[tuple[str, str]]:
    return [
        (name, (ROOT / name).read_text(encoding="utf-8"))
        for name in project_files()
        if name.endswith(".md")
    ]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_paths_that_documents_name_exist() -> None:
    files = project_files()
    assert [f for name, text in documents() for f in missing_paths(name, text, files)] == []


def test_make_targets_that_documents_name_exist() -> None:
    makefile = read("Makefile")
    assert [f for name, text in documents() for f in missing_targets(name, text, makefile)] == []


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    example = set(SETTING.findall(read(".env.example")))
    by_product = read_settings(product_files())
    by_tests = {
        setting
        for name in project_files()
        if name.startswith(("tests/", "scripts/")) and "architecture" not in name
        for setting in SETTING.findall(read(name))
    }
    assert sorted(by_product - example) == []
    assert sorted(example - by_product - by_tests - {"O2O_CONTRACT_VECTORS"}) == []


def test_documents_name_only_settings_that_exist() -> None:
    example = set(SETTING.findall(read(".env.example")))
    named = {setting for _, text in documents() for setting in SETTING.findall(text)}
    assert sorted(named - example) == []


def test_the_check_sees_paths_that_lead_nowhere() -> None:
    files = ["src/o2o/ledger/rules.py", "docs/adr/0001-one.md", "docs/setup.md"]
    text = (
        "`src/o2o/ledger/rules.py` `o2o/ledger/` `ledger` `docs/adr/*.md` `docs/{setup,adr}` "
        "`application/json` `/pad/coupons` `python -m o2o` `./setup.md` [x](adr/0001-one.md) "
        "`src/o2o/gone.py` `docs/gone/` `absent.toml` [y](adr/0002.md) `docs/gone*.md`"
    )
    assert missing_paths("docs/index.md", text, files) == [
        "docs/index.md: src/o2o/gone.py does not exist",
        "docs/index.md: docs/gone/ does not exist",
        "docs/index.md: absent.toml does not exist",
        "docs/index.md: docs/gone*.md does not exist",
        "docs/index.md: adr/0002.md does not exist",
    ]


def test_the_check_sees_make_targets_that_are_gone() -> None:
    text = "We make sure. `make run` and `make fly`\n```\nmake soar\n```\n"
    assert missing_targets("a.md", text, "run: x ## y\n") == [
        "a.md: there is no make fly",
        "a.md: there is no make soar",
    ]


def test_the_check_reads_settings_from_the_code() -> None:
    code = (
        "class Settings(Struct):\n    data_dir: Path = 1\n    # x\n    port: int\n\n"
        "    @property\n    def other(self) -> int:\n        x: int = 1\n"
        "os.environ['O2O_LATE']\n"
    )
    file = snippet(code, path="src/o2o/infra/settings.py")
    assert read_settings([file]) == {"O2O_DATA_DIR", "O2O_PORT", "O2O_LATE"}
