"""Who runs against whom: the product, the bare server, npm co-wechat and WeRoBot."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.messages import ChatAccount
from bench.servers import HERE, ROOT, Server, free_port, granian, product_environment

PEERS = HERE / "peers"
# The fastest of those in its documentation that could be installed; see README.
WEROBOT_SERVER = "waitress"
REPLY = "Welcome. Send 'card' to see your card, 'points' for your points."


class Workshop:
    """Where a run keeps its files, and the peers' packages, installed once per lock."""

    def __init__(self, folder: Path) -> None:
        """Use this folder, made if need be."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def log(self, name: str) -> Path:
        """Return where a contestant writes what it has to say."""
        return self.folder / f"{name}.log"

    def install_node_peers(self) -> None:
        """Install co-wechat by its lock file. Needs Node and npm."""
        lock, installed = PEERS / "package-lock.json", PEERS / "node_modules" / ".installed"
        if _is_same(lock, installed):
            return
        subprocess.run(["npm", "ci", "--silent"], cwd=PEERS, check=True)
        shutil.copyfile(lock, installed)

    def install_werobot(self) -> Path:
        """Install WeRoBot into an environment of its own and return that Python."""
        home = self.folder / "werobot"
        python = home / "bin" / "python"
        lock, installed = PEERS / "requirements.lock", home / "installed.lock"
        if not _is_same(lock, installed):
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r"]
            subprocess.run([*map(str, pip), str(lock)], check=True, env=_without_path())
            shutil.copyfile(lock, installed)
        return python


def _is_same(lock: Path, installed: Path) -> bool:
    return installed.exists() and installed.read_bytes() == lock.read_bytes()


def _without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def start_product(
    shop: Workshop, database_url: str, *, secret_key: str, cores: set[int], workers: int = 1
) -> Server:
    """Start the whole product as `o2o serve` runs it; no relay."""
    environment = product_environment(
        database_url, secret_key=secret_key, data_dir=shop.folder / "product"
    )
    log = shop.log("o2o")
    return _start_product("o2o.app.asgi", environment, log=log, cores=cores, workers=workers)


def start_bare(shop: Workshop, database_url: str, *, secret_key: str, cores: set[int]) -> Server:
    """Start the product as `bench.bare` has it, in the same way."""
    environment = product_environment(
        database_url, secret_key=secret_key, data_dir=shop.folder / "bare"
    )
    environment["PYTHONPATH"] += f"{os.pathsep}{ROOT}"
    return _start_product("bench.bare", environment, log=shop.log("bare"), cores=cores)


def _start_product(
    module: str, environment: dict[str, str], *, log: Path, cores: set[int], workers: int = 1
) -> Server:
    port = free_port()
    return Server(
        "o2o",
        granian(f"{module}:create_root", port=port, is_factory=True, workers=workers),
        port=port,
        cores=cores,
        environment=environment,
        log=log,
        ready_path="/readyz",
    )


def start_hello(shop: Workshop, *, cores: set[int]) -> Server:
    """Start the bare application on the same server with the same settings."""
    port = free_port()
    return Server(
        "bare ASGI hello",
        granian("bench.peers.hello:app", port=port, is_factory=False),
        port=port,
        cores=cores,
        environment={"PYTHONPATH": str(ROOT)},
        log=shop.log("hello"),
    )


def start_co_wechat(shop: Workshop, account: ChatAccount, *, cores: set[int]) -> Server:
    """Start co-wechat on Koa in one Node process."""
    shop.install_node_peers()
    port = free_port()
    return Server(
        "co-wechat",
        ["node", PEERS / "co_wechat.cjs"],
        port=port,
        cores=cores,
        environment={**_shared(account, port=port), "NODE_ENV": "production"},
        log=shop.log("co-wechat"),
    )


def start_werobot(shop: Workshop, account: ChatAccount, *, cores: set[int]) -> Server:
    """Start WeRoBot in one Python process."""
    python = shop.install_werobot()
    port = free_port()
    return Server(
        "WeRoBot",
        [python, PEERS / "werobot_peer.py"],
        port=port,
        cores=cores,
        environment={
            **_shared(account, port=port),
            "BENCH_SERVER": WEROBOT_SERVER,
            "PYTHONPATH": "",
        },
        log=shop.log("werobot"),
    )


def _shared(account: ChatAccount, *, port: int) -> Mapping[str, str]:
    return {
        "BENCH_PORT": str(port),
        "BENCH_TOKEN": account.token,
        "BENCH_APPID": account.appid,
        "BENCH_AES_KEY": account.aes_key,
        "BENCH_REPLY": REPLY,
    }
