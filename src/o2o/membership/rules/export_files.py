"""The files of a member's copy: the same tables as JSON, as CSV, and as a page, in one ZIP."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

# What a spreadsheet would take for a formula (ASVS 5.0, 1.2.10).
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# So that spreadsheets read Chinese in a CSV.
_BOM = "\ufeff"
# A ZIP knows no zone; the true times are in the files.
_ZIP_YEAR_MIN = 1980


class TableCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One table as the person is given it: values as they are, words for people beside."""

    name: str
    title: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    # There were more rows than one copy holds.
    is_cut: bool = False


def plain(value: Any) -> Any:
    """Return a value as JSON has it; times in ISO 8601 with their zone."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def shown(value: Any) -> str:
    """Return a value as a table shows it; nothing where there is none."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)


def csv_cell(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    text = shown(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return f"'{text}" if not is_number and text.startswith(FORMULA_BEGINS) else text


def csv_text(table: TableCopy) -> str:
    """Write one table as CSV, the labels first."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([csv_cell(label) for label in table.labels])
    writer.writerows([csv_cell(value) for value in row] for row in table.rows)
    return _BOM + written.getvalue()


def json_bytes(tables: Sequence[TableCopy], *, head: Mapping[str, Any]) -> bytes:
    """Write all tables as one JSON document, by table and column name."""
    document = {
        **{name: plain(value) for name, value in head.items()},
        "tables": {
            table.name: [
                {name: plain(value) for name, value in zip(table.columns, row, strict=True)}
                for row in table.rows
            ]
            for table in tables
        },
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def zip_files(files: Mapping[str, bytes], *, at: datetime) -> bytes:
    """Pack files into a ZIP, all of them dated `at`."""
    written = io.BytesIO()
    moment = (max(at.year, _ZIP_YEAR_MIN), at.month, at.day, at.hour, at.minute, at.second)
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, moment), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()
