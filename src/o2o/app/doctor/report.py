"""Findings of the doctor and how they are told: a level, a code, what is the case, what to do."""

from enum import StrEnum

import msgspec

from o2o.web.copy import Words

ARROW = "\u2192"


class Level(StrEnum):
    """How bad it is; one `fail` makes the whole examination fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found. `code` is a table of `doctor.toml`, whose places `values` fill.

    `subject` is the account it is about, empty for the installation as a whole. `advice` are copy
    keys whose texts fill places of the same name.
    """

    level: Level
    code: str
    subject: str = ""
    values: dict[str, str] = {}
    advice: dict[str, str] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A remark in words of one language, as `--json` prints it."""

    level: Level
    code: str
    subject: str
    what: str
    action: str

    def line(self) -> str:
        """Return the line for a terminal."""
        subject = f"{self.subject}: " if self.subject else ""
        action = f"  {ARROW} {self.action}" if self.action else ""
        return f"{self.level.value:<5} {subject}{self.what}{action}"


def ok(code: str, subject: str = "", **values: str) -> Remark:
    """Say that something is well."""
    return Remark(level=Level.OK, code=code, subject=subject, values=values)


def warn(code: str, subject: str = "", **values: str) -> Remark:
    """Say that something could be better."""
    return Remark(level=Level.WARN, code=code, subject=subject, values=values)


def fail(code: str, subject: str = "", **values: str) -> Remark:
    """Say that something does not work."""
    return Remark(level=Level.FAIL, code=code, subject=subject, values=values)


def tell(remark: Remark, words: Words, language: str) -> Told:
    """Put a remark into words. Raises KeyError for a code without words."""
    values = {
        "account": remark.subject,
        **remark.values,
        **{
            name: words.find(key, language, **remark.values) or ""
            for name, key in remark.advice.items()
        },
    }
    return Told(
        level=remark.level,
        code=remark.code,
        subject=remark.subject,
        what=_one_line(words.text(f"doctor.{remark.code}.what", language, **values)),
        action=_one_line(words.find(f"doctor.{remark.code}.action", language, **values) or ""),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def exit_status(remarks: list[Remark]) -> int:
    """Return 1 if anything fails, else 0."""
    return int(any(remark.level is Level.FAIL for remark in remarks))


def language_from(environment: dict[str, str]) -> str:
    """Return the language of a terminal: Chinese where the locale is, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh_CN" if environment[name].lower().startswith("zh") else "en"
    return "en"
