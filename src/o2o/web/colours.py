"""Brand colours: readable tints computed from one hue, by WCAG 2.2's contrast formula."""

from collections.abc import Sequence
from typing import NamedTuple

AA_TEXT = 4.5
_WHITE = (255, 255, 255)
# The grounds of `webviews/static/css/tokens.css` on which text in the brand's colour may stand.
_LIGHT_PAGE = (241, 242, 244)
_DARK_PAGE = (17, 18, 20)
_DARK_SURFACE = (28, 30, 34)


class RGB(NamedTuple):
    """A colour, 0–255 per channel."""

    red: int
    green: int
    blue: int

    @classmethod
    def of(cls, text: str) -> "RGB":
        """Read `#rrggbb`."""
        return cls(*(int(text[i : i + 2], 16) for i in (1, 3, 5)))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


def mixed(colour: tuple[int, int, int], other: tuple[int, int, int], percent: int) -> RGB:
    """Mix `percent` of `other` into `colour`, channel by channel."""
    return RGB(
        *((a * (100 - percent) + b * percent) // 100 for a, b in zip(colour, other, strict=True))
    )


def luminance(colour: tuple[int, int, int]) -> float:
    """Return the relative luminance (WCAG 2.2), 0 black to 1 white."""
    channels = []
    for value in colour:
        share = value / 255
        channels.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(
    grounds: Sequence[tuple[int, int, int]], colour: RGB, towards: tuple[int, int, int]
) -> RGB:
    """Move a colour towards black or white until text in it reads on each of the grounds (AA)."""
    for percent in range(0, 101, 4):
        candidate = mixed(colour, towards, percent)
        if all(contrast(candidate, ground) >= AA_TEXT for ground in grounds):
            return candidate
    return RGB(*towards)


def brand_css(hue: str) -> str:
    """Return the custom properties of a brand, light and dark."""
    brand = RGB.of(hue)
    solid = readable_on([_WHITE], brand, (0, 0, 0))
    light_tint, dark_tint = mixed(brand, _WHITE, 90), mixed(brand, _DARK_PAGE, 80)
    light = {
        "brand": solid,
        "on-brand": RGB(*_WHITE),
        "brand-ink": readable_on([_WHITE, _LIGHT_PAGE, light_tint], brand, (0, 0, 0)),
        "brand-tint": light_tint,
        "brand-line": mixed(brand, _WHITE, 70),
        "brand-deep": mixed(solid, (0, 0, 0), 28),
    }
    dark = {
        "brand": solid,
        "on-brand": RGB(*_WHITE),
        "brand-ink": readable_on([_DARK_PAGE, _DARK_SURFACE, dark_tint], brand, _WHITE),
        "brand-tint": dark_tint,
        "brand-line": mixed(brand, _DARK_PAGE, 60),
        "brand-deep": mixed(solid, (0, 0, 0), 45),
    }
    return (
        f":root{{{_properties(light)}}}\n"
        f"@media (prefers-color-scheme: dark){{:root{{{_properties(dark)}}}}}\n"
    )


def _properties(colours: dict[str, RGB]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
