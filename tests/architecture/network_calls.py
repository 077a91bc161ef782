"""Finds network calls made while a transaction is open, by following awaits from file to file."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.architecture.sources import SourceFile, dotted, functions, imports, parameters

NETWORK_LIBRARIES = {"httpx", "wechatpy", "wechatpayv3", "requests", "aiohttp", "smtplib"}
# Parts of wechatpy that compute and never connect.
COMPUTING_PARTS = ("wechatpy.crypto", "wechatpy.exceptions", "wechatpy.utils")
# Handing work to a thread is how a blocking client is called: a lock would wait for it as well.
THREAD_HOPS = {"to_thread", "run_in_executor", "run_sync"}
# The one hop for what computes; what is handed to it is looked at in its place.
COMPUTING_HOPS = {"o2o.infra.aside.compute_aside", "o2o.infra.aside.compute_on"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Scope:
    """One file's names: what they were imported as, and which `self` attributes hold clients."""

    file: SourceFile
    imported: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for _, module, name, local in imports(self.file):
            whole = f"{module}.{name}" if name else (module if local != module else local)
            self.imported[local] = whole

    def resolve(self, chain: str) -> str:
        """The whole dotted name behind a chain of local names."""
        first, _, rest = chain.partition(".")
        whole = self.imported.get(first, f"{self.file.module}.{first}")
        return f"{whole}.{rest}" if rest else whole


def uses_network(file: SourceFile) -> bool:
    """Whether the file imports a library that connects."""
    return any(
        module.split(".")[0] in NETWORK_LIBRARIES and not module.startswith(COMPUTING_PARTS)
        for _, module, _, _ in imports(file)
    )


def takes_tx(function: Function) -> bool:
    return any(
        parameter.arg == "tx" or annotation_names(parameter.annotation) & {"Tx"}
        for parameter in parameters(function)
    )


def annotation_names(annotation: ast.expr | None) -> set[str]:
    if annotation is None:
        return set()
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return {
        dotted(part) for part in ast.walk(annotation) if isinstance(part, ast.Name | ast.Attribute)
    }


def open_blocks(tree: ast.AST) -> Iterator[ast.AST]:
    """What runs while a transaction is open: functions given one, and blocks that open one."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and takes_tx(node):
            yield node
        elif isinstance(node, ast.AsyncWith):
            opened = [dotted(item.context_expr) for item in node.items]
            if any(name.rpartition(".")[2] in {"transaction", "begin"} for name in opened):
                yield node


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def awaited(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that are awaited or entered, in any part of the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Await):
            yield from calls(node.value)
        elif isinstance(node, ast.AsyncWith):
            for item in node.items:
                yield from calls(item.context_expr)
        elif isinstance(node, ast.AsyncFor):
            yield from calls(node.iter)


def client_names(scope: Scope, clients: set[str]) -> set[str]:
    """Chains (`client`, `self._wechat`) that hold an object of a class that connects."""
    found = set()
    for function in functions(scope.file.tree):
        holding = {
            parameter.arg
            for parameter in parameters(function)
            if any(scope.resolve(n) in clients for n in annotation_names(parameter.annotation))
        }
        found |= holding
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and dotted(node.value) in holding:
                found |= {dotted(target) for target in node.targets}
    return found


def connecting(files: Iterable[SourceFile]) -> tuple[set[str], set[str]]:
    """(functions, classes) that reach the network, followed through awaits until nothing is new."""
    scopes = [Scope(file) for file in files]
    reached: set[str] = set()
    clients = {"httpx.AsyncClient", "httpx.Client"}
    scopes = [scope for scope in scopes if scope.file.module != "o2o.infra.aside"]
    for scope in scopes:
        if uses_network(scope.file):
            for node in scope.file.tree.body:
                if isinstance(node, ast.ClassDef) and any(functions(node)):
                    clients.add(f"{scope.file.module}.{node.name}")
    grown = True
    while grown:
        before = len(reached)
        for scope in scopes:
            holders = client_names(scope, clients)
            for function in functions(scope.file.tree):
                if any(hits(scope, call, reached, holders) for call in awaited(function)):
                    reached.add(f"{scope.file.module}.{function.name}")
        grown = len(reached) > before
    return reached, clients


def hits(scope: Scope, call: ast.Call, reached: set[str], holders: set[str]) -> bool:
    """Whether this call goes out, directly, through a client object or a function that does."""
    chain = dotted(call.func)
    whole = scope.resolve(chain)
    if whole in COMPUTING_HOPS:
        return any(goes_out(scope, dotted(given), reached, holders) for given in call.args)
    return goes_out(scope, chain, reached, holders)


def goes_out(scope: Scope, chain: str, reached: set[str], holders: set[str]) -> bool:
    """Whether what a chain of names stands for reaches another machine."""
    owner, _, name = chain.rpartition(".")
    whole = scope.resolve(chain)
    return (
        whole.split(".")[0] in NETWORK_LIBRARIES
        or whole in reached
        or owner in holders
        or name in THREAD_HOPS
    )


def network_in_transactions(files: Iterable[SourceFile]) -> list[str]:
    """Every network call that holds a transaction open."""
    files = tuple(files)
    reached, clients = connecting(files)
    found = set()
    for file in files:
        scope = Scope(file)
        holders = client_names(scope, clients)
        for block in open_blocks(file.tree):
            found |= {
                file.at(call, f"calls {dotted(call.func)} while a transaction is open")
                for call in [*awaited(block), *library_calls(scope, block)]
                if hits(scope, call, reached, holders)
            }
    return sorted(found)


def library_calls(scope: Scope, block: ast.AST) -> Iterator[ast.Call]:
    """Blocking calls of a network library, which nobody awaits."""
    for call in calls(block):
        if scope.resolve(dotted(call.func)).split(".")[0] in NETWORK_LIBRARIES:
            yield call


def mixes_both(file: SourceFile) -> list[str]:
    """A file that connects has no function that is given a transaction, and opens none."""
    if not uses_network(file):
        return []
    return [
        file.at(block, "the file imports a network library and works inside a transaction")
        for block in open_blocks(file.tree)
    ]
