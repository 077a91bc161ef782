"""Files of old cards made from a seed, as text and as workbooks: the same for the same seed."""

import csv
import random
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

HEAD = ("card_no", "code", "name", "phone", "principal", "bonus", "points", "opened_on")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def rows(count: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Yield cards without a fault: the same for the same seed."""
    lot = random.Random(seed)
    for number in range(count):
        yield (
            f"K{number:09d}",
            "".join(lot.choices(ALPHABET, k=8)),
            chr(0x4E00 + lot.randrange(2_000)) + chr(0x4E00 + lot.randrange(2_000)),
            f"1{lot.choice('3589')}{number:09d}",
            f"{lot.randrange(300_000) / 100:.2f}",
            f"{lot.randrange(2_000) // 10 * 10}",
            str(lot.randrange(5_000)),
            f"20{lot.randrange(15, 26)}-{lot.randrange(1, 13):02d}-{lot.randrange(1, 29):02d}",
        )


def write_csv(path: Path, count: int, *, seed: int) -> None:
    """Write the cards as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(rows(count, seed))


def write_xlsx(path: Path, count: int, *, seed: int) -> None:
    """Write the cards as a workbook the way spreadsheet programs do: texts shared, cells typed."""
    numbers: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet"
        with sheet.open("w", encoding="utf-8") as file:
            file.write(f'<worksheet xmlns="{MAIN}"><sheetData>')
            for line, row in enumerate([HEAD, *rows(count, seed)], start=1):
                cells = "".join(
                    f'<c r="{"ABCDEFGH"[i]}{line}" t="s"><v>'
                    f"{numbers.setdefault(cell, len(numbers))}</v></c>"
                    for i, cell in enumerate(row)
                )
                file.write(f'<row r="{line}">{cells}</row>')
            file.write("</sheetData></worksheet>")
        _pack(path, sheet, list(numbers))


def _pack(path: Path, sheet: Path, texts: list[str]) -> None:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{office}"><sheets>'
            '<sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packages}"><Relationship Id="rId1" Type="{office}/worksheet"'
            ' Target="worksheets/sheet1.xml"/></Relationships>',
        )
        book.writestr(
            "xl/sharedStrings.xml",
            f'<sst xmlns="{MAIN}">'
            + "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
            + "</sst>",
        )
        book.write(sheet, "xl/worksheets/sheet1.xml")
