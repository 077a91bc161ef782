"""What people read about an import: its faults in words, lists and templates as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence

from o2o.crm.statuses import ImportKind
from o2o.membership.imports import cards, purchases
from o2o.membership.imports.faults import Fault, as_text_cell
from o2o.web.copy import Words

COLUMNS = {ImportKind.CARDS: cards.COLUMNS, ImportKind.PURCHASES: purchases.COLUMNS}
# So that spreadsheet programs take it for UTF-8.
MARK = "\ufeff"
_HEAD = ("line", "column", "code", "value", "message")
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}


def column_name(words: Words, kind: ImportKind, field: str, *, language: str) -> str:
    """Return what we call a column; a key that is none comes back as it is."""
    names = words.table("imports", language).get("columns", {}).get(kind.value, {})
    return str(names[field][0]) if field in names else field


def fault_text(words: Words, kind: ImportKind, fault: Fault, *, language: str) -> str:
    """Say in a sentence what is wrong with a row."""
    return words.text(
        f"imports.faults.{fault.code}",
        language,
        line=fault.line,
        column=column_name(words, kind, fault.field, language=language),
        value=fault.value,
        detail=fault.detail,
    )


def faults_csv(words: Words, kind: ImportKind, faults: Iterable[Fault], *, language: str) -> str:
    """Return faults as CSV whose cells no program takes for formulas."""
    rows = [
        (
            str(fault.line),
            column_name(words, kind, fault.field, language=language),
            fault.code,
            fault.value,
            fault_text(words, kind, fault, language=language),
        )
        for fault in faults
    ]
    return _csv([[words.text(f"imports.report.{name}", language) for name in _HEAD], *rows])


def template_csv(words: Words, kind: ImportKind, *, language: str) -> str:
    """Return a file with the head alone."""
    return _csv([[column_name(words, kind, key, language=language) for key in COLUMNS[kind]]])


def form_text(words: Words, form: dict[str, object], *, language: str) -> str:
    """Say how a file was understood: UTF-8, separated by commas."""
    separator = _SEPARATORS.get(str(form.get("separator")))
    told = [str(form.get("encoding", ""))]
    if separator:
        told.append(words.text(f"imports.separators.{separator}", language))
    return " \u00b7 ".join(told)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    text.write(MARK)
    csv.writer(text).writerows([as_text_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
