"""The poster for a store's door as one page of PDF, its code in vectors.

Its Chinese font is one that PDF readers bring themselves: none is needed here.
"""

import io
from typing import Any

from o2o.queueing.web.poster import (
    BAND,
    CODE,
    HEIGHT,
    INK,
    MARGIN,
    PAPER,
    SOFT,
    WIDTH,
    Poster,
    code_of,
)

# PDF points of one pixel of the picture.
_POINTS = 595.276 / WIDTH
PDF_FONT = "STSong-Light"
# The font knows no characters beyond the basic plane.
_PLANE_MAX = 0xFFFF


def draw_pdf(poster: Poster) -> bytes:
    """Return the poster as one page of PDF."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - slow to load, seldom needed
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    pdfmetrics.registerFont(UnicodeCIDFont(PDF_FONT))
    out = io.BytesIO()
    page = Canvas(out, pagesize=(WIDTH * _POINTS, HEIGHT * _POINTS), invariant=1)
    page.setTitle(_drawable(f"{poster.brand} {poster.store}"))
    # Measured from the top as the picture is, in its pixels.
    page.scale(_POINTS, _POINTS)
    page.setFillColor(poster.hue)
    page.rect(0, HEIGHT - BAND, WIDTH, BAND, stroke=0, fill=1)
    _centred(page, poster.brand, base=108, size=52, fill=PAPER)
    _centred(page, poster.title, base=236, size=112, fill=PAPER)
    _centred(page, poster.store, base=BAND + 100, size=60, fill=INK)
    bottom = _code(page, poster.url, top=BAND + 150)
    for number, step in enumerate(poster.steps, 1):
        _step(page, number, step, top=bottom + 40 + 110 * (number - 1), hue=poster.hue)
    _centred(page, poster.foot, base=HEIGHT - 60, size=32, fill=SOFT)
    page.showPage()
    page.save()
    return out.getvalue()


def _centred(page: Any, text: str, *, base: int, size: int, fill: str) -> None:
    text = _drawable(text)
    room = WIDTH - 2 * MARGIN
    width = page.stringWidth(text, PDF_FONT, size)
    page.setFont(PDF_FONT, min(size, int(size * room / width)) if width else size)
    page.setFillColor(fill)
    page.drawCentredString(WIDTH / 2, HEIGHT - base, text)


def _code(page: Any, url: str, *, top: int) -> int:
    """Draw the code's dark stretches; return where it ends."""
    matrix = code_of(url).get_matrix()
    dot = max(1, CODE // len(matrix))
    side = dot * len(matrix)
    left = (WIDTH - side) // 2
    page.setFillColor(INK)
    for y, row in enumerate(matrix):
        for x, is_dark in enumerate(row):
            if is_dark:
                page.rect(left + x * dot, HEIGHT - top - (y + 1) * dot, dot, dot, stroke=0, fill=1)
    return top + side


def _step(page: Any, number: int, text: str, *, top: int, hue: str) -> None:
    size, left = 76, MARGIN + 60
    page.setFillColor(hue)
    page.circle(left + size / 2, HEIGHT - top - size / 2, size / 2, stroke=0, fill=1)
    page.setFillColor(PAPER)
    page.setFont("Helvetica-Bold", 44)
    page.drawCentredString(left + size / 2, HEIGHT - top - size / 2 - 15, str(number))
    room = WIDTH - MARGIN - (left + size + 36)
    step = _drawable(text)
    width = page.stringWidth(step, PDF_FONT, 46)
    page.setFont(PDF_FONT, min(46, int(46 * room / width)) if width else 46)
    page.setFillColor(INK)
    page.drawString(left + size + 36, HEIGHT - top - size / 2 - 16, step)


def _drawable(text: str) -> str:
    return "".join(char for char in text if ord(char) <= _PLANE_MAX)
