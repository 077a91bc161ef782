"""Text for people: TOML files per language, looked up by key, Chinese where English lacks."""

import tomllib
from pathlib import Path
from typing import Any

DEFAULT_LANGUAGE = "zh_CN"
LANGUAGES = ("zh_CN", "en")
PACKAGED = Path(__file__).parents[1] / "webviews"
CHECKOUT = Path(__file__).parents[3] / "webviews"


def webviews_dir() -> Path:
    """Return the folder with templates, copy and static files, in a checkout or a wheel."""
    return CHECKOUT if CHECKOUT.exists() else PACKAGED


class Words:
    """All copy, flattened: file `errors.toml`, table `a.b`, key `c` is `errors.a.b.c`."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read every TOML file of every language once."""
        folder = folder or webviews_dir() / "copy"
        self._texts: dict[str, dict[str, str]] = {}
        self._tables: dict[str, dict[str, dict[str, Any]]] = {}
        for language in LANGUAGES:
            tables = {
                file.stem: tomllib.loads(file.read_text(encoding="utf-8"))
                for file in sorted((folder / language).glob("*.toml"))
            }
            self._tables[language] = tables
            self._texts[language] = _flatten(tables, "")

    def text(self, key: str, language: str = DEFAULT_LANGUAGE, **values: Any) -> str:
        """Return the text of a key with `{name}` places filled. Raises KeyError if unknown."""
        texts = self._texts.get(language, self._texts[DEFAULT_LANGUAGE])
        template = texts.get(key) or self._texts[DEFAULT_LANGUAGE][key]
        return template.format_map(_Lenient(values)) if values or "{" in template else template

    def find(self, key: str, language: str = DEFAULT_LANGUAGE, **values: Any) -> str | None:
        """Return the text of a key, or None."""
        try:
            return self.text(key, language, **values)
        except KeyError:
            return None

    def table(self, file: str, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """Return a whole file as it stands, for lists such as chat commands."""
        return self._tables[language].get(file, {})


class _Lenient(dict[str, Any]):
    """A missing detail leaves its place empty rather than breaking an error page."""

    def __missing__(self, key: str) -> str:
        return ""


def _flatten(tree: dict[str, Any], prefix: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flatten(value, f"{name}.")
        elif isinstance(value, str):
            flat[name] = value
    return flat
