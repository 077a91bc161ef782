"""The few sentences the sandbox itself shows, per language: chat system lines and OAuth pages."""

import tomllib
from functools import cache
from importlib.resources import files

DEFAULT_LANGUAGE = "zh_CN"


@cache
def _texts() -> dict[str, dict[str, str]]:
    text = files("wechat_sandbox").joinpath("data/texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def text(key: str, language: str = DEFAULT_LANGUAGE) -> str:
    """The sentence in this language, else in Chinese. Raises KeyError for a key nobody wrote."""
    texts = _texts()
    return texts.get(language, {}).get(key) or texts[DEFAULT_LANGUAGE][key]
