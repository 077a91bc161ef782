"""Keeping what a run found: a section of RESULTS.md with tables and the raw figures."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.findings import Finding, recorded

HEAD = """# Results

Written by `python -m bench --record`, the newest run first. How to read them: README.md beside
this file.
"""
RUN = "\n## "


def record(
    path: Path,
    findings: Sequence[Finding],
    *,
    command: str,
    machine: Mapping[str, object],
    is_provisional: bool,
) -> None:
    """Put a run before the earlier ones."""
    before = path.read_text(encoding="utf-8") if path.exists() else HEAD
    head, mark, earlier = before.partition(RUN)
    run = section(
        findings,
        command=command,
        machine=machine,
        at=datetime.now(UTC),
        is_provisional=is_provisional,
    )
    path.write_text(f"{head.rstrip()}\n{run}{mark}{earlier}", encoding="utf-8")


def section(
    findings: Sequence[Finding],
    *,
    command: str,
    machine: Mapping[str, object],
    at: datetime,
    is_provisional: bool,
) -> str:
    """Write one run in Markdown; it ends with the raw rounds as JSON."""
    title = f"{at:%Y-%m-%d %H:%M} UTC{', provisional' if is_provisional else ''}"
    raw = [
        {"comparison": finding.title, "rounds": msgspec.to_builtins(finding.rounds)}
        for finding in findings
    ]
    lines = [f"{RUN}{title}\n", f"`{command}`", ""]
    if is_provisional:
        lines += ["The machine had other work: ratios stand, rates do not.", ""]
    lines += [f"* {name}: {value}" for name, value in machine.items()]
    for finding in findings:
        lines += ["", recorded(finding)]
    lines += ["", "<details><summary>Raw rounds</summary>", "", "```json"]
    lines += [json.dumps(raw, indent=1), "```", "", "</details>", ""]
    return "\n".join(lines)
