"""Pictures the sandbox draws: QR codes (PNG and SVG) and people's avatars."""

import html
import io
from functools import lru_cache

QR_PIXELS_PER_MODULE = 10
QR_BORDER_MODULES = 4


def _matrix(text: str) -> list[list[bool]]:
    # Imported late: drawing pulls in Pillow, which `--help` need not wait for.
    import qrcode  # noqa: PLC0415

    code = qrcode.QRCode(border=QR_BORDER_MODULES)
    code.add_data(text)
    code.make(fit=True)
    matrix: list[list[bool]] = code.get_matrix()
    return matrix


@lru_cache(maxsize=256)
def qr_svg(text: str) -> bytes:
    """One path of one-unit squares, black on white, so that a scanner reads it in dark mode too."""
    matrix = _matrix(text)
    size = len(matrix)
    squares = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"'
        f' shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="{squares}" fill="#000"/></svg>'
    ).encode()


@lru_cache(maxsize=256)
def qr_png(text: str) -> bytes:
    from PIL import Image  # noqa: PLC0415 - see _matrix

    matrix = _matrix(text)
    picture = Image.new("1", (len(matrix), len(matrix)), 1)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                picture.putpixel((x, y), 0)
    side = len(matrix) * QR_PIXELS_PER_MODULE
    written = io.BytesIO()
    picture.resize((side, side), Image.Resampling.NEAREST).save(written, "PNG")
    return written.getvalue()


def avatar_svg(name: str, hue: int) -> bytes:
    """A soft gradient, a rising sun and the last character of the name."""
    letter = html.escape(name.strip()[-1:].upper() or "?")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">'
        '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">'
        f'<stop offset="0" stop-color="hsl({hue} 62% 62%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + 40) % 360} 58% 42%)"/></linearGradient></defs>'
        '<rect width="96" height="96" rx="14" fill="url(#g)"/>'
        f'<circle cx="{20 + hue % 56}" cy="92" r="40" fill="#fff" fill-opacity=".14"/>'
        '<text x="48" y="50" fill="#fff" font-size="44" font-weight="600" text-anchor="middle"'
        ' dominant-baseline="central" font-family="PingFang SC, Noto Sans CJK SC, sans-serif">'
        f"{letter}</text></svg>"
    ).encode()
