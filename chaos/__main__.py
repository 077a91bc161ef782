"""`python -m chaos`: start a product of its own, do it harm for some minutes, judge, clean up.

`python -m chaos books` trades on the ledger alone; `python -m chaos calls` has clerks call and
looks at the phones.
"""

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from chaos import books, calls
from chaos.codes import run_codes
from chaos.nemesis import FAULTS
from chaos.numbers import run_numbers
from chaos.product import Product
from chaos.results import append_result, tell_lines
from chaos.round import Round

SECONDS_PER_MINUTE = 60


def main() -> int:
    """Return 0 when nothing was wrong, 1 when something was."""
    if sys.argv[1:2] == ["books"]:
        return books.main(sys.argv[2:])
    if sys.argv[1:2] == ["calls"]:
        return calls.main(sys.argv[2:])
    arguments = _parser().parse_args()
    if arguments.what == "codes":
        return run_codes(arguments.trials)
    if arguments.what == "numbers":
        return run_numbers(arguments.rounds)
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(2**31)
    command = f"python -m chaos --minutes {arguments.minutes:g} --seed {seed}"
    for fault in arguments.fault:
        command += f' --fault "{fault}"'
    print(command)
    with tempfile.TemporaryDirectory(prefix="o2o-chaos-") as name:
        try:
            return _run(arguments, seed=seed, folder=Path(name), command=command)
        finally:
            # Of all rounds, one that did not come to its end must be understood.
            if arguments.keep is not None:
                _keep(Path(name), arguments.keep)


def _run(arguments: argparse.Namespace, *, seed: int, folder: Path, command: str) -> int:
    product = Product(folder / "data", workers=arguments.workers)
    try:
        product.start()
        product.wait_set_up()
        verdict = Round(product, seed=seed, folder=folder).run(
            seconds=arguments.minutes * SECONDS_PER_MINUTE, faults=arguments.fault or None
        )
    finally:
        product.stop()
    for line in tell_lines(verdict):
        print(line)
    append_result(verdict, command=command)
    return 1 if verdict.violations else 0


def _keep(folder: Path, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    for file in (*folder.glob("*.jsonl"), *folder.glob("*.log")):
        shutil.copy(file, keep)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("round", "codes", "numbers"),
        default="round",
        help="codes: member codes; numbers: 500 people who take one at once",
    )
    parser.add_argument("--trials", type=int, default=10_000, help="of each attack on codes")
    parser.add_argument("--rounds", type=int, default=50, help="of numbers taken at once")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults are done")
    parser.add_argument("--seed", type=int, help="draws faults and load; printed when not given")
    parser.add_argument("--workers", type=int, default=2, help="web worker processes")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        choices=sorted(FAULTS),
        help="do just this fault, once; may repeat, then in that order",
    )
    parser.add_argument("--keep", type=Path, help="keep history and log in this folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
