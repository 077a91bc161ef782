"""Which encoding a file has: what its bytes prove, never a guess that could turn names around."""

import codecs
from typing import IO

from o2o.membership.errors_imports import ImportEncodingUnknown

PIECE_BYTES = 1 << 20
# Text in GB 18030 is nearly all made of the characters that GB 2312 has; bytes of another
# encoding that happen to be valid there come out as rare ones.
COMMON_PERCENT_MIN = 90
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(file: IO[bytes]) -> str:
    """Return the codec of a text file, read to its end. Raises ImportEncodingUnknown."""
    file.seek(0)
    head = file.read(PIECE_BYTES)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return _proved(file, codec)
    if b"\0" in head:
        # Separators and digits are ASCII: their other byte is zero, on one side.
        is_little = head[1::2].count(0) > head[::2].count(0)
        return _proved(file, "utf-16-le" if is_little else "utf-16-be")
    for codec in ("utf-8", "gb18030"):
        if _decodes(file, codec):
            return codec
    raise ImportEncodingUnknown


def _proved(file: IO[bytes], codec: str) -> str:
    if not _decodes(file, codec):
        raise ImportEncodingUnknown
    return codec


def _decodes(file: IO[bytes], codec: str) -> bool:
    """Whether the whole file is valid, plausible text in this encoding."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    file.seek(0)
    common = foreign = 0
    try:
        while piece := file.read(PIECE_BYTES):
            text = decoder.decode(piece)
            if codec.startswith("utf-16") and "\0" in text:
                return False
            if codec == "gb18030" and not text.isascii():
                known, unknown = _counted(text)
                common, foreign = common + known, foreign + unknown
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return foreign == 0 or common * 100 >= (common + foreign) * COMMON_PERCENT_MIN


def _counted(text: str) -> tuple[int, int]:
    """Count characters beyond ASCII that GB 2312 has and that it has not."""
    beyond = sum(not character.isascii() for character in text)
    foreign = len(text.encode("gb2312", "replace")) - len(text.encode("gb2312", "ignore"))
    return beyond - foreign, foreign
