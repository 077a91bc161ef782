"""A statement as PDF, A4 upright. Its Chinese font is one that PDF readers bring themselves."""

import io
from collections.abc import Sequence
from typing import Any

from o2o.membership.statements_export.sheet import FIGURES, Sheet

FONT = "STSong-Light"
WIDTH, HEIGHT = 595, 842
MARGIN = 36
ROW = 17
HEAD_ROW = 18
SIZE, TITLE_SIZE = 8, 16
GREY, LINE_GREY = "#6b7280", "#d1d5db"
# Shares of the width between the margins.
_SHARES = {
    "at": 15,
    "kind": 10,
    "store": 21,
    "tender": 7,
    "amount": 11,
    "principal": 10,
    "bonus": 10,
    "balance": 12,
    "reason": 12,
}
# The number of a transfer is for machines; there is no room for it on paper.
_LEFT_OUT = frozenset({"number"})
_PLANE_MAX = 0xFFFF


def pdf_bytes(sheet: Sheet) -> bytes:
    """Draw the pages. Takes a while for thousands of rows: for a thread of its own."""
    # Slow to load, and most processes never draw.
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=(WIDTH, HEIGHT), invariant=1)
    canvas.setTitle(_drawable(sheet.title))
    _Drawing(canvas, pdfmetrics.stringWidth, sheet).draw()
    canvas.save()
    return written.getvalue()


class _Drawing:
    """One document on its way: where the next row goes."""

    def __init__(self, canvas: Any, width_of: Any, sheet: Sheet) -> None:
        self._canvas = canvas
        self._width_of = width_of
        self._sheet = sheet
        self._y = 0
        self._positions = [
            position for position, name in enumerate(sheet.columns) if name not in _LEFT_OUT
        ]
        whole = sum(_SHARES[sheet.columns[position]] for position in self._positions)
        self._widths = [
            (WIDTH - 2 * MARGIN) * _SHARES[sheet.columns[position]] // whole
            for position in self._positions
        ]

    def draw(self) -> None:
        sheet = self._sheet
        facts_height = (len(sheet.facts) + 1) // 2 * HEAD_ROW
        first = self._rows_below(HEIGHT - MARGIN - 34 - facts_height - 10)
        later = self._rows_below(HEIGHT - MARGIN)
        pages = [sheet.rows[:first]]
        rest = sheet.rows[first:]
        pages += [rest[start : start + later] for start in range(0, len(rest), later)]
        for number, rows in enumerate(pages, start=1):
            self._y = HEIGHT - MARGIN
            if number == 1:
                self._draw_head()
            self._draw_table(rows)
            self._draw_footer(f"{number} / {len(pages)}")
            self._canvas.showPage()

    def _rows_below(self, y: int) -> int:
        # One row is the table's own head.
        return max(1, (y - MARGIN - 24) // ROW - 1)

    def _draw_head(self) -> None:
        self._y -= TITLE_SIZE
        self._text(MARGIN, self._sheet.title, size=TITLE_SIZE)
        self._y -= 18
        half = (WIDTH - 2 * MARGIN) // 2
        for position, (label, value) in enumerate(self._sheet.facts):
            left = MARGIN + position % 2 * half
            self._text(left, label, size=SIZE + 1, color=GREY)
            self._text(left + 64, self._fitted(value, half - 70, SIZE + 1), size=SIZE + 1)
            if position % 2 == 1 or position == len(self._sheet.facts) - 1:
                self._y -= HEAD_ROW
        self._y -= 10

    def _draw_table(self, rows: Sequence[Sequence[str]]) -> None:
        self._draw_row(self._sheet.labels, color=GREY)
        for row in rows:
            self._draw_row(row)
        if not self._sheet.rows:
            self._y -= ROW
            self._text(MARGIN, self._sheet.empty, size=SIZE + 1, color=GREY)

    def _draw_row(self, cells: Sequence[str], *, color: str = "#111827") -> None:
        left = MARGIN
        for position, width in zip(self._positions, self._widths, strict=True):
            cell = self._fitted(cells[position], width - 6, SIZE)
            if self._sheet.columns[position] in FIGURES:
                cell_left = left + width - 6 - self._width_of(cell, FONT, SIZE)
            else:
                cell_left = left
            self._text(cell_left, cell, size=SIZE, color=color)
            left += width
        self._canvas.setStrokeColor(LINE_GREY)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(MARGIN, self._y - 5, WIDTH - MARGIN, self._y - 5)
        self._y -= ROW

    def _draw_footer(self, page: str) -> None:
        self._y = MARGIN - 8
        self._text(MARGIN, self._sheet.footer, size=SIZE - 1, color=GREY)
        self._text(
            WIDTH - MARGIN - self._width_of(page, FONT, SIZE - 1), page, size=SIZE - 1, color=GREY
        )

    def _text(self, left: float, text: str, *, size: int, color: str = "#111827") -> None:
        self._canvas.setFont(FONT, size)
        self._canvas.setFillColor(color)
        self._canvas.drawString(left, self._y, _drawable(text))

    def _fitted(self, text: str, width: int, size: int) -> str:
        text = _drawable(text)
        if self._width_of(text, FONT, size) <= width:
            return text
        while text and self._width_of(f"{text}…", FONT, size) > width:
            text = text[:-1]
        return f"{text}…"


def _drawable(text: str) -> str:
    """Replace what the font's encoding has no place for (emoji), and line breaks."""
    return "".join("□" if ord(char) > _PLANE_MAX else char for char in " ".join(text.split()))
