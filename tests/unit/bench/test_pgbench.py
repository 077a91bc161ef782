"""Reading what pgbench reports."""

import pytest

from bench.pgbench import PgbenchFailed, name_of, read_figures

REPORT = """\
transaction type: build/bench/debit.sql
number of clients: 8
number of transactions actually processed: 512
number of failed transactions: 0 (0.000%)
latency average = 15.798 ms
initial connection time = 26.281 ms
tps = 256.000000 (without initial connection time)
"""


def test_a_report_is_read() -> None:
    one = read_figures(REPORT, name=name_of(8))

    assert (one.name, one.answered, one.errors) == ("pgbench, 8 clients", 512, {})
    assert (one.seconds, one.per_second, one.p50_ms) == (2.0, 256.0, 15.798)


def test_failed_transactions_are_errors() -> None:
    report = REPORT.replace("failed transactions: 0", "failed transactions: 3")

    assert read_figures(report, name="x").errors == {"failed transactions": 3}


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(PgbenchFailed):
        read_figures("connection refused", name="x")


def test_one_client_is_one() -> None:
    assert name_of(1) == "pgbench, 1 client"
