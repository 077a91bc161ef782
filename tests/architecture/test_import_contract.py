"""The contract of `.importlinter`: the order of the house, and that each part of it bites."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT

CONTRACT = ROOT / ".importlinter"
HOUSE = """
app | reports | outreach,conversations,survey | ordering | queueing | promotions | membership
| payments | ledger,notifications | staff | stores | wechat | web | infra | crm | kernel
"""
# One breach of each contract, none of which breaks another one.
BREACHES = {
    "src/o2o/ledger/actions.py": "import o2o.ordering.errors",
    "src/o2o/ordering/one.py": "from o2o.ordering import two",
    "src/o2o/ordering/two.py": "from o2o.ordering import one",
    "src/o2o/membership/jobs.py": "import wechatpy.client",
    "src/o2o/promotions/rules/price.py": "from o2o.crm import tables",
    "src/o2o/crm/tables.py": "import sqlalchemy",
    "src/wechat_sandbox/codec.py": "from o2o.kernel import money",
    "src/o2o/kernel/money.py": "",
    "src/o2o/ordering/errors.py": "",
    "src/o2o/wechat/client.py": "import wechatpy",
}
CONTRACTS = {
    "house": "Imports point downwards only, in the order of the house",
    "cycles": "No cycle between siblings anywhere",
    "gateway": "WeChat's client libraries only behind the gateway, o2o.wechat",
    "pure": "The kernel and all rules know no database, no HTTP and no web framework",
    "sandbox": "The product and the sandbox know each other by HTTP only",
}


def lint(folder: Path, files: dict[str, str]) -> str:
    """Run import-linter with the project's contract over a tree made of these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
        for package in path.relative_to(folder / "src").parents:
            (folder / "src" / package / "__init__.py").touch()
    # The program stands beside the interpreter that runs the tests.
    program = Path(sys.executable).parent / "lint-imports"
    told = subprocess.run(
        [program, "--config", CONTRACT, "--no-cache"],
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    return told.stdout + told.stderr


def test_the_order_is_the_order_of_the_house() -> None:
    parser = configparser.ConfigParser()
    parser.read(CONTRACT, encoding="utf-8")
    section = parser["importlinter:contract:house"]
    written = [line.replace("(", "").replace(")", "") for line in section["layers"].split("\n")]
    layers = [",".join(part.strip() for part in line.split("|")) for line in written if line]
    assert layers == [layer.strip() for layer in HOUSE.split("|")]
    assert section["exhaustive"] == "True"


def test_every_contract_breaks_on_a_breach(tmp_path: Path) -> None:
    told = lint(tmp_path, BREACHES)
    assert [name for name in CONTRACTS.values() if f"{name} BROKEN" not in told] == [], told
    # The gateway itself may use the library: only the breach is listed.
    assert "o2o.wechat.client -> wechatpy" not in told


def test_a_tree_without_breaches_is_kept(tmp_path: Path) -> None:
    files = {
        "src/o2o/app/asgi.py": "import o2o.ordering.actions",
        "src/o2o/ordering/actions.py": "import o2o.wechat.client\nimport o2o.ordering.rules",
        "src/o2o/ordering/rules.py": "import o2o.kernel.money",
        "src/o2o/kernel/money.py": "",
        "src/o2o/wechat/client.py": "import wechatpy\nimport sqlalchemy",
        "src/wechat_sandbox/codec.py": "import json",
    }
    assert "5 kept, 0 broken" in lint(tmp_path, files)
