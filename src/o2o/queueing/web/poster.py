"""The poster for a store's door as a picture: the brand, the store, a code to scan, three steps.

A4 at 150 dots per inch, drawn with Pillow. `poster_pdf` draws the same for print.
"""

import io
from collections.abc import Sequence
from typing import Any

import msgspec
import qrcode
from PIL import Image, ImageDraw
from qrcode.constants import ERROR_CORRECT_Q

from o2o.queueing.web.poster_fonts import font_of

# 210 × 297 mm at 150 dots per inch.
WIDTH, HEIGHT = 1240, 1754
MARGIN = 96
BAND = 300
CODE = 800
INK, SOFT, PAPER = "#16181d", "#4b515c", "#ffffff"


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on it."""

    brand: str
    # `#rrggbb`, dark enough for white text.
    hue: str
    store: str
    title: str
    steps: Sequence[str]
    foot: str
    # The whole address that the code leads to.
    url: str


def draw_png(poster: Poster) -> bytes:
    """Return the poster as a picture. Raises PosterFontMissing."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, BAND), fill=poster.hue)
    _centred(draw, poster.brand, top=56, size=52, fill=PAPER)
    _centred(draw, poster.title, top=132, size=112, fill=PAPER)
    _centred(draw, poster.store, top=BAND + 44, size=60, fill=INK)
    code = code_of(poster.url).make_image(fill_color="black", back_color="white").get_image()
    side = code.size[0] * max(1, CODE // code.size[0])
    left, top = (WIDTH - side) // 2, BAND + 150
    image.paste(code.convert("RGB").resize((side, side), Image.Resampling.NEAREST), (left, top))
    top += side + 40
    for number, step in enumerate(poster.steps, 1):
        _step(draw, number, step, top=top, hue=poster.hue)
        top += 110
    _centred(draw, poster.foot, top=HEIGHT - 92, size=32, fill=SOFT)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, dpi=(150, 150))
    return out.getvalue()


def _centred(draw: ImageDraw.ImageDraw, text: str, *, top: int, size: int, fill: str) -> None:
    """Write a line, smaller where it would not fit."""
    room = WIDTH - 2 * MARGIN
    font = font_of(size)
    width = draw.textlength(text, font=font)
    if width > room:
        font = font_of(max(12, int(size * room / width)))
        width = draw.textlength(text, font=font)
    draw.text(((WIDTH - width) / 2, top), text, font=font, fill=fill)


def _step(draw: ImageDraw.ImageDraw, number: int, step: str, *, top: int, hue: str) -> None:
    size, left = 76, MARGIN + 60
    draw.ellipse((left, top, left + size, top + size), fill=hue)
    figure = font_of(44)
    width = draw.textlength(str(number), font=figure)
    draw.text((left + size / 2, top + size / 2), str(number), font=figure, fill=PAPER, anchor="mm")
    room = WIDTH - MARGIN - (left + size + 36)
    font = font_of(46)
    width = draw.textlength(step, font=font)
    if width > room:
        font = font_of(int(46 * room / width))
    draw.text((left + size + 36, top + size / 2), step, font=font, fill=INK, anchor="lm")


def code_of(url: str) -> Any:
    """Return the QR code of an address."""
    # A quarter of the code may be worn off.
    code = qrcode.QRCode(border=4, box_size=1, error_correction=ERROR_CORRECT_Q)
    code.add_data(url)
    code.make(fit=True)
    return code
