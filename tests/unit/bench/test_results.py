"""Recording runs: the newest first, the raw rounds readable by machines."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Round
from bench.findings import Finding
from bench.results import HEAD, record, section

FINDING = Finding(
    title="Debits", ours="o2o", rounds=[Round(name="o2o", seconds=2.0, answered=10, p99_ms=4.0)]
)


def test_a_section_says_command_machine_and_raw_rounds() -> None:
    text = section(
        [FINDING],
        command="python -m bench",
        machine={"cores": 2},
        at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        is_provisional=True,
    )

    assert text.startswith("\n## 2026-03-01 12:30 UTC, provisional\n\n`python -m bench`\n")
    assert "* cores: 2\n" in text
    raw = json.loads(text.partition("```json\n")[2].partition("\n```")[0])
    assert raw[0]["comparison"] == "Debits"
    assert raw[0]["rounds"][0]["answered"] == 10


def test_the_newest_run_stands_first(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    for command in ("first", "second"):
        record(path, [FINDING], command=command, machine={}, is_provisional=False)

    text = path.read_text(encoding="utf-8")

    assert text.startswith(HEAD.rstrip())
    assert text.count("\n## ") == 2
    assert text.index("`second`") < text.index("`first`")
