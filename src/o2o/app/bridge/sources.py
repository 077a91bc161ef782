"""Where a hall's machine keeps its state: an address, or a file that it writes; JSON or CSV."""

import csv
import io
from pathlib import Path
from typing import Any

import httpx
import msgspec

READ_SECONDS = 5.0
BYTES_MAX = 1 << 20


class SourceUnreadable(Exception):
    """The machine's state cannot be read now; it may be there again in a moment."""


def read_state(source: str) -> dict[str, Any]:
    """Return `{"lines": […], "tickets": […]}` from an http(s) address, a .json or a .csv file.

    A CSV has a head line with `line,waiting,called,desk`, and a row per line. Raises
    SourceUnreadable, also for a file that is only half written.
    """
    if source.startswith(("http://", "https://")):
        return _json(_fetched(source))
    content = _content(Path(source))
    return _csv(content) if source.lower().endswith(".csv") else _json(content)


def _fetched(address: str) -> bytes:
    try:
        answer = httpx.get(address, timeout=READ_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise SourceUnreadable(str(error)) from error
    return answer.content


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise SourceUnreadable(str(error)) from error
    if len(content) > BYTES_MAX:
        raise SourceUnreadable(f"{path} is larger than a mebibyte")
    return content


def _json(content: bytes) -> dict[str, Any]:
    try:
        state = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise SourceUnreadable(f"not JSON: {error}") from error
    if "lines" not in state:
        raise SourceUnreadable("there are no `lines` in it")
    return {"lines": state["lines"], "tickets": state.get("tickets", [])}


def _csv(content: bytes) -> dict[str, Any]:
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        return {"lines": [_line(row) for row in rows], "tickets": []}
    except (UnicodeDecodeError, csv.Error, KeyError, ValueError, AttributeError) as error:
        raise SourceUnreadable(f"not a table of lines: {error!r}") from error


def _line(row: dict[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {"code": row["line"].strip().upper(), "waiting": int(row["waiting"])}
    if called := (row.get("called") or "").strip():
        line["called"] = int(called)
    if desk := (row.get("desk") or "").strip():
        line["desk"] = desk
    return line
