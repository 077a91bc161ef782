"""A recorded debit becomes a pgbench script that does the same for others."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bench.script import Unexplained, literal, made_id, pgbench_script
from bench.statements import BEGIN, COMMIT, Recording, Statement

STORE = UUID(int=99)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _recording(number: int, *statements: Statement) -> Recording:
    return Recording(
        request_id=UUID(int=1000 + number),
        ids=(UUID(int=2000 + number), UUID(int=3000 + number)),
        amount=7,
        statements=statements,
    )


def _script(*recordings: Recording) -> list[str]:
    text = pgbench_script(recordings, prefixes=("m-", "a-"), first=10, last=19)
    return [line for line in text.splitlines() if not line.startswith(("--", "\\set"))]


def test_what_was_asked_and_what_is_alike_and_transactions_are_kept() -> None:
    sql = "SELECT * FROM t\n WHERE m = ANY(CAST($1 AS uuid[])) AND s = $2 AND r = $3"
    lines = _script(
        *(
            _recording(
                n,
                Statement(BEGIN),
                Statement(sql, ([UUID(int=2000 + n)], STORE, UUID(int=1000 + n))),
                Statement(COMMIT),
            )
            for n in (1, 2)
        )
    )

    assert lines == [
        "BEGIN;",
        (
            "SELECT * FROM t WHERE m = ANY(CAST(ARRAY['m-' || CAST(:n AS text)] AS uuid[]))"
            f" AND s = (E'{STORE}') AND r = ({made_id(0)});"
        ),
        "COMMIT;",
    ]


def test_figures_come_from_the_row_that_was_read_before() -> None:
    lines = _script(
        *(
            _recording(
                n,
                Statement("SELECT lot, left FROM l", (), ({"lot": UUID(int=n), "left": 100 * n},)),
                Statement("UPDATE $1 $2 $3 $4", (UUID(int=n), 100 * n, 100 * n - 7, -7)),
            )
            for n in (1, 2)
        )
    )

    assert lines == [
        "SELECT lot, left FROM l \\gset s0_",
        "UPDATE (:s0_lot) (:s0_left) (CAST(:s0_left AS bigint) + (-7)) (-7);",
    ]


def test_an_id_made_on_the_spot_is_the_same_wherever_it_stands() -> None:
    lines = _script(
        *(
            _recording(
                n,
                Statement("INSERT $1", ([UUID(int=50 + n), UUID(int=60 + n)],)),
                Statement("INSERT $1", (UUID(int=50 + n),)),
            )
            for n in (1, 2)
        )
    )

    assert lines == [
        f"INSERT ARRAY[{made_id(1)}, {made_id(2)}];",
        f"INSERT ({made_id(1)});",
    ]


def test_texts_bytes_and_moments_that_differ_stay_as_first_recorded() -> None:
    lines = _script(
        *(_recording(n, Statement("INSERT $1 $2 $3", (f"x{n}", bytes([n]), NOON))) for n in (1, 2))
    )

    assert lines == ["INSERT (E'x1') (E'\\\\x01') (E'2026-03-01 12\\x3a00\\x3a00+00\\x3a00');"]


def test_a_figure_that_nothing_explains_is_refused() -> None:
    recordings = [_recording(n, Statement("UPDATE $1", (n * n,))) for n in (2, 3)]

    with pytest.raises(Unexplained, match="nothing explains"):
        _script(*recordings)


def test_rows_read_by_the_dozen_explain_nothing() -> None:
    recordings = [
        _recording(
            n,
            Statement("SELECT left", (), ({"left": n}, {"left": n})),
            Statement("UPDATE $1", (n,)),
        )
        for n in (2, 3)
    ]

    with pytest.raises(Unexplained):
        _script(*recordings)


def test_recordings_of_other_statements_are_refused() -> None:
    with pytest.raises(Unexplained, match="statement 0 differs"):
        _script(_recording(1, Statement("SELECT 1")), _recording(2, Statement("SELECT 2")))


@pytest.mark.parametrize(
    "value,expected",
    [
        (None, "NULL"),
        (True, "true"),
        (-7, "-7"),
        (31.2, "31.2"),
        ("it's", "E'it''s'"),
        ('{"a":null}', "E'{\"a\"\\x3anull}'"),
        (b"\x00\xff", "E'\\\\x00ff'"),
    ],
)
def test_literals_hide_colons_from_pgbench(value: object, expected: str) -> None:
    assert literal(value) == expected
