"""The drawn code holds exactly the modules of the code that the library computed."""

import re
from xml.etree import ElementTree as ET

import pytest
import qrcode
from qrcode.constants import ERROR_CORRECT_M

from o2o.web.qr import QUIET_ZONE, qr_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> tuple[int, set[tuple[int, int]]]:
    """The side of the picture and its dark modules as (x, y)."""
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    side = int(root.attrib["viewBox"].split()[2])
    _, dark = root.findall(f"{SVG}path")
    cells = set()
    for x, y, length, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", dark.attrib["d"]):
        assert length == back
        cells |= {(int(x) + step, int(y)) for step in range(int(length))}
    return side, cells


@pytest.mark.parametrize(
    "content", ["90123456789012345678", "https://example.com/h5/a/card", "会员码"]
)
def test_every_module_stands_where_it_belongs(content: str) -> None:
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=ERROR_CORRECT_M)
    code.add_data(content)
    code.make(fit=True)
    matrix = code.get_matrix()

    side, cells = drawn(str(qr_svg(content, label="a code")))

    assert side == len(matrix)
    assert cells == {
        (x, y) for y, row in enumerate(matrix) for x, is_dark in enumerate(row) if is_dark
    }
    inside = range(QUIET_ZONE, side - QUIET_ZONE)
    assert all(x in inside and y in inside for x, y in cells)


def test_the_label_is_escaped_and_there_is_no_style() -> None:
    svg = str(qr_svg("1", label='<b>"会员码"</b>'))

    assert 'aria-label="&lt;b&gt;&#34;会员码&#34;&lt;/b&gt;"' in svg
    assert "style" not in svg
