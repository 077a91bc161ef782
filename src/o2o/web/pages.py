"""Pages: Jinja templates with typed views, copy, money and time filters, hashed static files."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale
from babel.dates import format_date, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import Response
from markupsafe import Markup

from o2o.kernel.money import format_yuan
from o2o.web.copy import Words, webviews_dir

SHANGHAI = ZoneInfo("Asia/Shanghai")
# How many days ago is said in a word.
_NEAR_DAYS = {-1: "tomorrow", 0: "today", 1: "yesterday"}


class Pages:
    """Renders templates; one per process, templates compiled once."""

    def __init__(self, words: Words, *, folder: Path | None = None) -> None:
        """Load templates from `folder` (or the package's) and the manifest of static files."""
        folder = folder or webviews_dir()
        self._words = words
        manifest = folder / "static" / "dist" / "manifest.json"
        self._static: dict[str, str] = json.loads(manifest.read_text()) if manifest.exists() else {}
        self._environment = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "yuan": yuan,
            "when": when,
            "clock": clock_time,
            "date": date_text,
        }
        self._environment.globals |= {"copy": self._copy, "static": self.static}

    def static(self, name: str) -> str:
        """Return the address of a static file, with its content hash where it was built."""
        return f"/static/dist/{self._static[name]}" if name in self._static else f"/static/{name}"

    @pass_context
    def _copy(self, context: Context, key: str, **values: Any) -> str:
        return self._words.text(key, context["language"], **values)

    def render(self, template: str, *, language: str, **values: Any) -> str:
        """Render a template to text."""
        return self._environment.get_template(template).render(language=language, **values)

    def answer(
        self, template: str, *, language: str, status: int = 200, **values: Any
    ) -> Response[str]:
        """Render a template to an HTML answer that no cache keeps."""
        return Response(
            self.render(template, language=language, **values),
            status_code=status,
            media_type="text/html",
            headers={"Cache-Control": "no-store"},
        )


def yuan(amount_fen: int, *, sign: bool = False) -> Markup:
    """Show fen as money: a small ¥, tabular digits, a true minus or a plus where asked."""
    mark = "−" if amount_fen < 0 else ("+" if sign else "")  # noqa: RUF001 - a true minus sign
    digits = format_yuan(abs(amount_fen))
    return Markup('<span class="money">{}<span class="money-sign">¥</span>{}</span>').format(
        mark, digits
    )


@pass_context
def when(context: Context, moment: datetime, timezone: str = "Asia/Shanghai") -> str:
    """Say a moment as people do: today 18:30, yesterday 9:05, tomorrow 10:30, 3 Nov 12:00."""
    language = context["language"]
    local = moment.astimezone(ZoneInfo(timezone))
    today = context["now"].astimezone(ZoneInfo(timezone)).date()
    words: Words = context["words"]
    time = local.strftime("%H:%M")
    days = (today - local.date()).days
    if days in _NEAR_DAYS:
        return words.text(f"common.{_NEAR_DAYS[days]}_at", language, time=time)
    pattern = "MMMd" if local.year == today.year else "yMMMd"
    day = format_date(local.date(), format=_skeleton(pattern, language), locale=_locale(language))
    return f"{day} {time}"


@cache
def _locale(language: str) -> Locale:
    # Babel would look for its file again with every date.
    return Locale.parse(language)


def _skeleton(pattern: str, language: str) -> str:
    # CLDR patterns; the characters are date units, not text for translation.
    chinese = {"MMMd": "M\u6708d\u65e5", "yMMMd": "y\u5e74M\u6708d\u65e5"}
    english = {"MMMd": "d MMM", "yMMMd": "d MMM y"}
    return (chinese if language == "zh_CN" else english)[pattern]


def clock_time(moment: datetime, timezone: str = "Asia/Shanghai") -> str:
    """Show the time of day, 24 hours."""
    return format_time(moment.astimezone(ZoneInfo(timezone)), "HH:mm", locale=_locale("en"))


@pass_context
def date_text(context: Context, moment: datetime, timezone: str = "Asia/Shanghai") -> str:
    """Show a date in the reader's language."""
    return format_date(
        moment.astimezone(ZoneInfo(timezone)), format="long", locale=_locale(context["language"])
    )


def as_json(value: Any) -> Markup:
    """Embed a value as JSON in a data attribute or script of type application/json."""
    return Markup(msgspec.json.encode(value).decode().replace("<", "\\u003c"))  # noqa: S704
