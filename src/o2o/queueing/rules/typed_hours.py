"""Opening hours as people type them: `10:30-14:00, 17:00-02:00`, in whatever signs they use."""

import re
import unicodedata
from collections.abc import Sequence

_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}", re.ASCII)


def read_spans(typed: str) -> list[tuple[str, str]] | None:
    """Return the spans in a text; an empty text is a day off. None when it is no list of times."""
    folded = unicodedata.normalize("NFKC", typed)
    clocks = [clock.zfill(5) for clock in _CLOCK.findall(folded)]
    if len(clocks) % 2 or any(sign.isalnum() for sign in _CLOCK.sub("", folded)):
        return None
    return list(zip(clocks[::2], clocks[1::2], strict=True))


def show_spans(spans: Sequence[Sequence[str]]) -> str:
    """Write spans as `read_spans` reads them."""
    return ", ".join(f"{since}-{until}" for since, until in spans)
