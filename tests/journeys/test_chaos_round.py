"""A bounded round of faults under load: nothing acknowledged is lost, nothing happens twice."""

from pathlib import Path

from chaos.product import Product
from chaos.round import Round

SEED = 11
# The long run draws from all faults; these are the ones that a morning may bring.
FAULTS = [
    "kill database",
    "kill web worker",
    "callbacks come thrice",
    "freeze database",
    "wechat says nothing",
]


def test_round_of_faults_leaves_nothing_lost_and_nothing_doubled(
    product: Product, tmp_path: Path
) -> None:
    verdict = Round(product, seed=SEED, folder=tmp_path).run(seconds=0, faults=FAULTS)

    assert verdict.violations == []
    assert verdict.faults == dict.fromkeys(FAULTS, 1)
    assert verdict.figures["acknowledged"] > 100
    assert verdict.figures["once unknown"] > 0
    assert verdict.figures["messages acknowledged"] > 10
    assert verdict.figures["template messages"] > 20
