"""Tables and claims of the bench."""

from bench.figures import Round
from bench.findings import Claim, Finding, recorded, told
from bench.tables import aligned, markdown


def _finding() -> Finding:
    return Finding(
        title="Debits",
        ours="o2o",
        rounds=[
            Round(name="o2o", seconds=2.0, answered=3000, p50_ms=1.25, p99_ms=9.0, max_ms=12.0),
            Round(name="pgbench", seconds=2.0, answered=2000, errors={"status 500": 2}),
        ],
        facts={"books": "sound"},
        claims=[Claim(says="o2o ÷ pgbench", figure=1.5, mark=1.0)],
        faults=["a row is missing"],
    )


def test_columns_line_up_first_to_the_left_others_to_the_right() -> None:
    assert aligned(["name", "n"], [["a", "1"], ["longer", "1,000"]]) == (
        "name        n\na           1\nlonger  1,000"
    )


def test_markdown_aligns_figures_to_the_right() -> None:
    assert markdown(["name", "n"], [["a", "1"]]) == "| name | n |\n| --- | ---: |\n| a | 1 |"


def test_a_finding_is_told_with_ratio_facts_claims_and_faults() -> None:
    lines = told(_finding()).splitlines()

    assert lines[0] == "Debits"
    assert lines[3].split() == [
        "o2o",
        "1,500",
        "1,500",
        "…",
        "1,500",
        "1.2",
        "9.0",
        "12.0",
        "–",
        "0",
    ]
    assert lines[4].split()[-2:] == ["2", "1.50×"]
    assert "  books: sound" in lines
    assert "  yes  o2o ÷ pgbench: 1.50 (≥ 1)" in lines
    assert "  WRONG a row is missing" in lines


def test_a_finding_is_recorded_in_markdown() -> None:
    text = recorded(_finding())

    assert text.startswith("### Debits\n\n| contestant |")
    assert "* yes  o2o ÷ pgbench: 1.50 (≥ 1)" in text


def test_nobody_is_compared_with_ours_when_ours_did_not_run() -> None:
    finding = Finding(title="x", ours="o2o", rounds=[Round(name="a", seconds=1.0, answered=1)])

    assert "×" not in told(finding)
    assert finding.times("a") == 0.0
    assert finding.times("nobody") is None


def test_a_claim_may_ask_for_least_or_for_most() -> None:
    assert Claim(says="", figure=1.8, mark=1.8).holds
    assert not Claim(says="", figure=1.79, mark=1.8).holds
    assert Claim(says="", figure=99.0, mark=100.0, is_least=False).holds
    assert not Claim(says="", figure=101.0, mark=100.0, is_least=False).holds
    assert not Claim(says="", figure=None, mark=1.0).holds
