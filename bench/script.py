"""A pgbench script that repeats a recorded request for others, statement by statement.

Several recordings are compared. A parameter that is alike in all of them is written as it is.
One that differs is what was asked (the request, and the member and account or the queue), or came
out of an earlier statement (pgbench keeps it in a variable), or is an earlier figure less or plus
the amount or otherwise computed from one, or is an id made on the spot. Texts, bytes and moments
that differ are kept as first recorded: what they say costs nothing. Pure.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from bench.statements import BEGIN, COMMIT, Recording, Statement

# Ids are of decimal digits, which are hexadecimal digits too, and grow with `seq`, as the
# product's UUIDv7 grow with time: both fill an index from one side.
_HEAD = """\
-- Written by bench/script.py from recorded requests over HTTP.
\\set n random({first}, {last})
\\set seq :seq + 1
\\set high 10000000 + :seq / 9000
\\set low 1000 + :seq % 9000
\\set client 100 + :client_id
"""
SEQ_PER_RUN = 9_000_000
_PLACE = re.compile(r"\$(\d+)")


class Unexplained(ValueError):
    """A recorded parameter differs and nothing known says why."""


class _Sources:
    """Where the values of a recording come from; filled while statements are written."""

    def __init__(self, recordings: Sequence[Recording], *, prefixes: Sequence[str]) -> None:
        self.recordings = recordings
        self._ids = [f"'{prefix}' || CAST(:n AS text)" for prefix in prefixes]
        # One tuple of values over all recordings → the variable that holds it.
        self.results: dict[tuple[Any, ...], str] = {}
        self.used: set[str] = set()
        self._made: dict[tuple[Any, ...], int] = {}

    def expression(self, leaves: tuple[Any, ...]) -> str:
        """Write the value that was `leaves` in the recordings. Raises Unexplained."""
        asked = self._asked(leaves)
        if asked is not None:
            return asked
        if all(leaf == leaves[0] for leaf in leaves) or isinstance(
            leaves[0], str | bytes | datetime
        ):
            return literal(leaves[0])
        if leaves in self.results:
            return self._use(leaves)
        if isinstance(leaves[0], UUID):
            number = self._made.setdefault(leaves, 1 + len(self._made))
            return made_id(number)
        return self._sum(leaves)

    def _asked(self, leaves: tuple[Any, ...]) -> str | None:
        if leaves == tuple(one.request_id for one in self.recordings):
            return made_id(0)
        for place, expression in enumerate(self._ids):
            if leaves == tuple(one.ids[place] for one in self.recordings):
                return expression
        return None

    def _sum(self, leaves: tuple[Any, ...]) -> str:
        for sign in (1, -1):
            source = tuple(
                leaf - sign * one.amount for leaf, one in zip(leaves, self.recordings, strict=True)
            )
            if source in self.results:
                change = sign * self.recordings[0].amount
                return f"CAST({self._use(source)} AS bigint) + ({change})"
        return self._line(leaves)

    def _line(self, leaves: tuple[Any, ...]) -> str:
        """Write a figure that is so many times an earlier one plus a constant."""
        for source in self.results:
            if not all(isinstance(value, int) for value in source) or source[0] == source[1]:
                continue
            factor = (leaves[1] - leaves[0]) // (source[1] - source[0])
            change = leaves[0] - factor * source[0]
            if leaves == tuple(factor * value + change for value in source):
                return f"CAST({self._use(source)} AS bigint) * ({factor}) + ({change})"
        msg = f"nothing explains {leaves}"
        raise Unexplained(msg)

    def _use(self, leaves: tuple[Any, ...]) -> str:
        name = self.results[leaves]
        self.used.add(name)
        return f":{name}"

    def learn(self, number: int, statements: Sequence[Statement]) -> None:
        """Remember what a statement answered, where it answered one row in every recording."""
        if any(len(statement.rows) != 1 for statement in statements):
            return
        for column in statements[0].rows[0]:
            values = tuple(statement.rows[0][column] for statement in statements)
            if all(isinstance(value, UUID | int) for value in values):
                self.results.setdefault(values, f"s{number}_{column}")


def pgbench_script(
    recordings: Sequence[Recording], *, prefixes: Sequence[str], first: int, last: int
) -> str:
    """Write the script. `prefixes` and `first`–`last` make the ids of what it is about.

    Raises Unexplained, also when the recordings are not of the same statements.
    """
    columns = list(zip(*(one.statements for one in recordings), strict=True))
    sources = _Sources(recordings, prefixes=prefixes)
    written: list[tuple[int, str]] = []
    for number, statements in enumerate(columns):
        if len({statement.sql for statement in statements}) != 1:
            msg = f"statement {number} differs between recordings"
            raise Unexplained(msg)
        written.append((number, _written(statements, sources)))
        sources.learn(number, statements)
    lines = [_HEAD.format(first=first, last=last)]
    for number, sql in written:
        is_used = any(name.startswith(f"s{number}_") for name in sources.used)
        lines.append(f"{sql} \\gset s{number}_\n" if is_used else f"{sql};\n")
    return "".join(lines)


def _written(statements: Sequence[Statement], sources: _Sources) -> str:
    sql = statements[0].sql
    if sql in {BEGIN, COMMIT}:
        return sql
    parameters = list(zip(*(statement.parameters for statement in statements), strict=True))
    expressions = [_parameter(values, sources) for values in parameters]
    placed = _PLACE.sub(lambda found: expressions[int(found.group(1)) - 1], sql)
    return " ".join(placed.split())


def _parameter(values: tuple[Any, ...], sources: _Sources) -> str:
    if not isinstance(values[0], list):
        return f"({sources.expression(values)})"
    elements = [sources.expression(leaves) for leaves in zip(*values, strict=True)]
    return f"ARRAY[{', '.join(elements)}]"


def made_id(number: int) -> str:
    """Write the id of that number of a transaction: 0 is the request's."""
    parts = (":high", ":low")
    texts = [f"CAST({part} AS text)" for part in parts]
    return (
        f"{texts[0]} || '-' || {texts[1]} || '-7{number:03d}-8' || CAST(:client AS text)"
        " || '-000000000000'"
    )


def literal(value: Any) -> str:
    """Write a value as SQL; a colon is escaped, because pgbench would take it for a variable."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{escaped}'"
