"""One command's work in one transaction; what stands in the way ends it with a sentence."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import click
from sqlalchemy.exc import DBAPIError, IntegrityError

from o2o.app.doctor.report import language_from
from o2o.app.runtime import Runtime, open_runtime
from o2o.app.starting import settings_with_database
from o2o.infra.database import DatabaseAway, Tx, transaction
from o2o.infra.logging import configure_logging
from o2o.kernel.errors import Fact
from o2o.web.copy import Words

Result = TypeVar("Result")
# PostgreSQL's classes for tables and columns that are not there.
_SCHEMA_STATES = {"42P01", "42703"}


class Speech:
    """Words in the language of the terminal."""

    def __init__(self) -> None:
        """Read the language once."""
        self._words = Words()
        self._language = language_from(dict(os.environ))

    @property
    def words(self) -> Words:
        """Return all copy, for texts that belong to a domain."""
        return self._words

    @property
    def language(self) -> str:
        """Return the language of the terminal."""
        return self._language

    def ask(self, field: str) -> str:
        """Return the label of a field."""
        return self._words.text(f"install.ask.{field}", self._language)

    def default(self, name: str) -> str:
        """Return a default text. Guests read it, so it is Chinese whatever the terminal speaks."""
        return self._words.text(f"install.default.{name}")

    def said(self, key: str, /, **values: object) -> str:
        """Return a sentence."""
        return self._words.text(f"install.said.{key}", self._language, **values)

    def refuse(self, key: str, /, **values: object) -> NoReturn:
        """End the command with a sentence, exit status 1."""
        raise click.ClickException(self.said(key, **values))

    def refuse_field(self, field: str) -> NoReturn:
        """End the command with what a field must look like."""
        label = self._words.find(f"install.ask.{field}", self._language) or field
        shape = self._words.find(f"install.shape.{field}", self._language) or "?"
        self.refuse("field_wrong", label=label, shape=shape)

    def fact(self, fact: Fact) -> str:
        """Return the words of a named fact."""
        values = {"field": fact.field or "", **fact.detail}
        title = self._words.find(f"errors.{fact.code}.title", self._language, **values)
        action = self._words.find(f"errors.{fact.code}.action", self._language, **values)
        return " ".join(part for part in (title or fact.code, action) if part)


def open_for_command() -> Runtime:
    """Open the runtime of a command that talks to a person: no log lines between the sentences."""
    configure_logging(as_json=False, level=logging.CRITICAL)
    return open_runtime(settings_with_database())


def work(runtime: Runtime, speech: Speech, act: Callable[[Tx], Awaitable[Result]]) -> Result:
    """Run `act` in one transaction, then let the database go. Raises click's exceptions only."""

    async def run() -> Result:
        try:
            async with transaction(runtime.sessions) as tx:
                return await act(tx)
        finally:
            await runtime.engine.dispose()

    return guarded(speech, run())


def guarded(speech: Speech, doing: Awaitable[Result]) -> Result:
    """Run to the end; a fact or an absent database becomes a sentence."""

    async def run() -> Result:
        return await doing

    try:
        return asyncio.run(run())
    except DatabaseAway:
        speech.refuse("database_away")
    except Fact as fact:
        raise click.ClickException(speech.fact(fact)) from None
    except IntegrityError:
        raise
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _SCHEMA_STATES:
            speech.refuse("schema_behind")
        if getattr(error.orig, "sqlstate", None) in {"3D000", "28P01", "28000"}:
            speech.refuse("database_away")
        raise
    except Exception as error:
        # The driver's refusals of a connection come as they are.
        if _is_refused_connection(error):
            speech.refuse("database_away")
        raise


def _is_refused_connection(error: Exception) -> bool:
    state: Any = getattr(error, "sqlstate", None)
    return isinstance(state, str) and state in {"3D000", "28P01", "28000", "53300"}
