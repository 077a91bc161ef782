"""The sandbox's memory: one SQLite file, one connection, one short transaction at a time.

All access happens on the event loop's thread and no transaction waits for anything, so two
requests never interleave inside one. The write-ahead log keeps what was committed when the process
is killed.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from wechat_sandbox.clock import SandboxClock

Notice = dict[str, Any]


class Transaction:
    """SQL with named parameters, one `now`, and work to do once the commit has succeeded."""

    def __init__(self, connection: sqlite3.Connection, *, now: float) -> None:
        self._connection = connection
        self.now = now
        self.after_commit: list[Callable[[], None]] = []
        self.notices: list[Notice] = []

    def run(self, sql: str, **values: Any) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def row(self, sql: str, **values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def rows(self, sql: str, **values: Any) -> list[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def number(self, sql: str, **values: Any) -> int:
        """The first column of the first row; 0 where there is none."""
        found = self._connection.execute(sql, values).fetchone()
        return 0 if found is None or found[0] is None else int(found[0])

    def insert(self, sql: str, **values: Any) -> int:
        """Run an INSERT and return the new row's number."""
        row_id = self._connection.execute(sql, values).lastrowid
        assert row_id is not None, "an INSERT always has a row id"
        return row_id

    def notify(self, kind: str, **facts: Any) -> None:
        """Tell the phone's live stream, once this is committed."""
        self.notices.append({"kind": kind, **facts})

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside when it raises; the transaction goes on."""
        self._connection.execute("SAVEPOINT inner_step")
        kept_work, kept_notices = len(self.after_commit), len(self.notices)
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO inner_step")
            self._connection.execute("RELEASE inner_step")
            del self.after_commit[kept_work:], self.notices[kept_notices:]
            raise
        self._connection.execute("RELEASE inner_step")


class Database:
    """Opens the file and hands out transactions; `on_notice` hears of every committed change."""

    def __init__(self, path: Path, clock: SandboxClock) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        schema = files("wechat_sandbox").joinpath("schema.sql").read_text(encoding="utf-8")
        self._connection.executescript(schema)
        self.on_notice: Callable[[Notice], None] = lambda _notice: None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit at the end, roll back on any error; nesting is a mistake and raises."""
        tx = Transaction(self._connection, now=self._clock.now())
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield tx
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        for work in tx.after_commit:
            work()
        for notice in tx.notices:
            self.on_notice(notice)

    def close(self) -> None:
        self._connection.close()
