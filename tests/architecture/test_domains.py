"""What one domain may use of another: its actions, queries, events and errors, nothing else."""

from tests.architecture.sources import DOMAINS, SourceFile, imports, product_files, snippet

PUBLIC = {"actions", "queries", "events", "errors"}
# The composition root puts the program together and so sees every part of it.
SEES_ALL = {"app"}


def reaches_inside(file: SourceFile) -> list[str]:
    """Imports of another domain's insides, in any of the ways Python has."""
    if file.package in SEES_ALL:
        return []
    found = []
    for node, module, name, _ in imports(file):
        parts = [*module.split("."), *([name] if name else [])]
        if parts[0] != "o2o" or len(parts) < 2:
            continue
        domain = parts[1]
        if domain not in DOMAINS or domain == file.package:
            continue
        if len(parts) < 3 or parts[2] not in PUBLIC:
            found.append(file.at(node, f"reaches inside {domain} for {'.'.join(parts)}"))
    return found


def relative_imports(file: SourceFile) -> list[str]:
    """Imports by dots: they would be invisible to the check above and to a reader's search."""
    return [
        f"{file.path}:{number}: imports by dots; write the whole name"
        for number, line in enumerate(file.text.splitlines(), start=1)
        if line.lstrip().startswith("from .")
    ]


def test_domains_use_each_other_by_their_public_modules() -> None:
    assert [fault for file in product_files() for fault in reaches_inside(file)] == []


def test_imports_are_written_whole() -> None:
    assert [fault for file in product_files() for fault in relative_imports(file)] == []


def test_the_check_sees_every_way_inside() -> None:
    bad = snippet(
        "from o2o.ledger.rules import lots\n"
        "from o2o.ledger import rules\n"
        "import o2o.payments.web.console\n"
        "import o2o.membership\n"
        "from o2o.staff.jobs import tidy\n"
        "from o2o import ledger\n",
        path="src/o2o/ordering/actions/place_order.py",
    )
    assert [int(fault.split(":")[1]) for fault in reaches_inside(bad)] == [1, 2, 3, 4, 5, 6]
    assert len(relative_imports(snippet("from .rules import x\n"))) == 1


def test_public_modules_the_own_domain_and_the_floor_are_open() -> None:
    text = (
        "from o2o.ledger.actions.transfer import transfer\n"
        "from o2o.ledger import queries, events\n"
        "from o2o.ordering.rules import price_cart\n"
        "from o2o.infra.database import Tx\n"
        "from o2o.crm.orders import Order\n"
    )
    assert reaches_inside(snippet(text, path="src/o2o/ordering/actions/place_order.py")) == []
    everything = snippet("from o2o.ledger.web import console\n", path="src/o2o/app/wiring.py")
    assert reaches_inside(everything) == []
