"""No file names a package host, holds a secret, or knows the machine that it was written on."""

import re

import pytest

from tests.architecture.sources import ROOT, project_files

# Written with brackets, so that this file does not hold what it looks for.
PATTERNS = {
    "a package host": re.compile(
        r"py[p]i\.org|python[h]osted|regis[t]ry\.npm[j]s|npm[m]irror|deb\.deb[i]an|proxy\.go[l]ang"
        r"|static\.cra[t]es|js[d]elivr|un[p]kg\.com|cdn[j]s"
    ),
    "a path of one machine": re.compile(
        r"(?<![\w.:/-])/(?:root|work|farm|Users|home)/[A-Za-z0-9_.-]+|[A-Z]:\\\\Users"
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIV[A]TE KEY-----\s*(?:\\n)?[\w+/=]{16}"),
    "a token of a service": re.compile(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|AKIA[0-9A-Z]{16}|xox[abp]-[\w-]{10,}"
        r"|sk-[A-Za-z0-9]{32,}|glpat-[\w-]{20})\b"
    ),
    "a password in an address": re.compile(
        r"[a-z]+://[^\s:/@\"'{}<$]+:(?!password@|secret@|\*+@)[^\s:/@\"'{}<$]+@[\w.-]+"
    ),
}
BINARY = re.compile(r"\.(png|jpg|jpeg|webp|gif|ico|woff2?|mp3|ogg|wasm|pdf|xlsx|zip|gz|der|p12)$")


def unclean(path: str, text: str) -> list[str]:
    """Each line of a file that holds something which must not be in a repository."""
    return [
        f"{path}:{number}: holds {what}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in PATTERNS.items()
        if pattern.search(line)
    ]


def test_files_hold_no_hosts_secrets_or_paths_of_a_machine() -> None:
    faults = [
        fault
        for path in project_files()
        if not BINARY.search(path)
        for fault in unclean(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert faults == []


def test_no_generated_or_private_file_is_tracked() -> None:
    unwanted = re.compile(
        r"(^|/)(node_modules|dist|\.venv|__pycache__|\.env|\.o2o)(/|$)|\.(pyc|pem|key|p12|log|sqlite3?)$"
        r"|\.min\.(js|css)$"
    )
    assert [path for path in project_files() if unwanted.search(path)] == []


def whole(torn: str) -> str:
    """Samples stand torn by a `^`, for the same reason as the brackets above."""
    return torn.replace("^", "")


@pytest.mark.parametrize(
    "torn",
    [
        "index = 'https://py^pi.org/simple'",
        '"resolved": "https://regis^try.npm^js.org/x"',
        "cd /wo^rk/main",
        "open('/ho^me/alex/notes')",
        "KEY = '-----BEGIN PRIV^ATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B'",
        f"token = 'ghp_^{'a' * 36}'",
        "url = 'postgresql:^//o2o:Tr0ub4dor@db.example.com/o2o'",
    ],
)
def test_the_check_sees_what_does_not_belong(torn: str) -> None:
    assert len(unclean("a.py", whole(torn))) == 1


@pytest.mark.parametrize(
    "torn",
    [
        "GET /api/v1/wo^rk/orders",
        "postgresql://o2o:password@localhost:5432/o2o",
        "https://example.com/ho^me/page",
        "if text.startswith('-----BEGIN PRIVATE KEY-----'):",
        "f'postgresql://{user}:{word}@{host}'",
    ],
)
def test_ordinary_lines_are_fine(torn: str) -> None:
    assert unclean("a.py", whole(torn)) == []
