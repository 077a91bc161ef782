"""Entering values: from options, a file, the environment, or a person at the terminal.

Credentials are never options: a command line is seen by every process and kept in histories.
"""

import os
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import click

from o2o.app.install.working import Speech

VARIABLES = {
    "secret": "WECHAT_APP_SECRET",
    "token": "WECHAT_TOKEN",
    "encoding_aes_key": "WECHAT_ENCODING_AES_KEY",
    "password": "STAFF_PASSWORD",
    "pin": "STAFF_PIN",
}
STDIN = "-"


def read_values(file: str | None, *, allowed: Collection[str], speech: Speech) -> dict[str, str]:
    """Read `key = "value"` lines (TOML) of a file, or of standard input for `-`."""
    if file is None:
        return {}
    try:
        text = sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        speech.refuse("file_unreadable", file=file, reason=error.strerror or "?")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        # The parser's own words may quote a line that holds a credential.
        speech.refuse("file_unreadable", file=file, reason=type(error).__name__)
    unknown = [key for key in content if key not in allowed]
    if unknown:
        speech.refuse("unknown_keys", file=file, keys=", ".join(sorted(unknown)))
    return {key: str(value).strip() for key, value in content.items()}


def from_environment(fields: Collection[str]) -> dict[str, str]:
    """Read the credentials among the fields that the environment has."""
    return {
        field: os.environ[VARIABLES[field]].strip()
        for field in fields
        if field in VARIABLES and os.environ.get(VARIABLES[field])
    }


def complete(
    given: Mapping[str, str | None],
    *,
    wanted: Sequence[str],
    speech: Speech,
    confirmed: Collection[str] = (),
) -> dict[str, str]:
    """Return a value for each wanted field, asking at a terminal for those not given.

    Credentials are not shown; those in `confirmed`, which nobody can look up, are asked twice.
    """
    values = {field: value.strip() for field, value in given.items() if value is not None}
    missing = [field for field in wanted if field not in values]
    if missing and not sys.stdin.isatty():
        variables = ", ".join(VARIABLES[field] for field in missing if field in VARIABLES) or "-"
        speech.refuse("missing", fields=", ".join(missing), variables=variables)
    for field in missing:
        values[field] = str(
            click.prompt(
                speech.ask(field),
                hide_input=field in VARIABLES,
                confirmation_prompt=field in confirmed,
            )
        ).strip()
    return values
