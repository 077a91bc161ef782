"""What is wrong with a row: a code, whose words stand in the copy, and what the words need."""

from typing import NamedTuple

FAULTS_KEPT = 1_000
VALUE_CHARS_MAX = 80
# What a spreadsheet would take for the beginning of a formula (OWASP, "CSV injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Fault(NamedTuple):
    """One fault of one row. `field` is the column's key, empty where it is about the row."""

    line: int
    field: str
    code: str
    value: str = ""
    # One number, name or limit that the words mention.
    detail: str = ""


class CellWrong(Exception):
    """A cell cannot mean what its column is for."""

    def __init__(self, code: str, detail: object = "") -> None:
        """Keep the fault's code and what its words mention."""
        super().__init__(code)
        self.code = code
        self.detail = str(detail)


def shortened(value: str) -> str:
    """Return a cell's text as a report shows it: on one line, not endless, without NUL."""
    plain = " ".join(value.replace("\0", " ").split())
    return plain if len(plain) <= VALUE_CHARS_MAX else f"{plain[:VALUE_CHARS_MAX]}\u2026"


def as_text_cell(value: str) -> str:
    """Return a text as a spreadsheet keeps it: what looks like a formula behind an apostrophe."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
