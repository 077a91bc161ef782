"""Whatever hue a brand chooses, text in its colours reads on every ground that pages have."""

import re

from hypothesis import given
from hypothesis import strategies as st

from o2o.web.colours import RGB, brand_css, contrast
from o2o.web.copy import webviews_dir

AA = 4.5
HUES = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def properties(css: str) -> list[dict[str, RGB]]:
    """The custom properties of the light and of the dark scheme."""
    return [
        {name: RGB.of(value) for name, value in re.findall(r"--([\w-]+):(#[0-9a-f]{6})", block)}
        for block in css.split("@media")
    ]


def grounds() -> list[dict[str, RGB]]:
    css = (webviews_dir() / "static" / "css" / "tokens.css").read_text("utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    return [
        {name: RGB.of(value) for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)}
        for block in (light, dark)
    ]


@given(HUES)
def test_text_in_and_on_the_brands_colours_keeps_its_contrast(hue: str) -> None:
    for brand, page in zip(properties(brand_css(hue)), grounds(), strict=True):
        assert contrast(brand["on-brand"], brand["brand"]) >= AA
        assert contrast(brand["on-brand"], brand["brand-deep"]) >= AA
        for ground in (page["page"], page["surface"], brand["brand-tint"]):
            assert contrast(brand["brand-ink"], ground) >= AA
            assert contrast(page["ink"], ground) >= AA
            assert contrast(page["ink-soft"], ground) >= AA


def test_the_words_of_notices_keep_their_contrast() -> None:
    for page in grounds():
        for kind in ("success", "warning", "danger"):
            for ground in (page[f"{kind}-tint"], page["surface"], page["page"]):
                assert contrast(page[kind], ground) >= AA, kind
        for ground in (page["page"], page["surface"], page["surface-sunk"]):
            assert contrast(page["ink-faint"], ground) >= AA
