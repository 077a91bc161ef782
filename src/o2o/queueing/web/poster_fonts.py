"""A font with Chinese characters for drawn posters: whichever of the usual ones there is."""

from functools import cache
from pathlib import Path

from PIL import ImageFont

from o2o.kernel.errors import Unavailable

# Bold before regular, sans before serif: a poster is read from two metres.
_NAMES = (
    "NotoSansCJK-Bold.ttc",
    "NotoSansCJKsc-Bold.otf",
    "NotoSansSC-Bold.otf",
    "SourceHanSansSC-Bold.otf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "PingFang.ttc",
    "msyhbd.ttc",
    "msyh.ttc",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "NotoSerifCJK-Bold.ttc",
    "NotoSerifCJK-Regular.ttc",
    "DroidSansFallbackFull.ttf",
)
_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
# In the collections of Noto the faces of one file differ by region; the third is the mainland's.
_FACE_WORD = "SC"
_FACES_MAX = 12


class PosterFontMissing(Unavailable):
    """No font with Chinese characters is installed here: the PDF needs none."""

    code = "poster.font_missing"


@cache
def _find() -> tuple[str, int] | None:
    known = {
        path.name: path
        for folder in _FOLDERS
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix.lower() in {".ttc", ".otf", ".ttf"}
    }
    for name in _NAMES:
        if name in known:
            return str(known[name]), _face_of(known[name])
    return None


def _face_of(path: Path) -> int:
    for index in range(_FACES_MAX):
        try:
            family, _ = ImageFont.truetype(str(path), 12, index=index).getname()
        except OSError:
            return 0
        if family and _FACE_WORD in family.split():
            return index
    return 0


def font_of(size: int) -> ImageFont.FreeTypeFont:
    """Return the font in a size in pixels. Raises PosterFontMissing."""
    found = _find()
    if found is None:
        raise PosterFontMissing
    path, face = found
    return ImageFont.truetype(path, size, index=face)
