"""The command line and the product as programs, against a database and a sandbox of the tests."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

ROOT = Path(__file__).parents[3]
SECRET_KEY = "a key for tests that is long enough"
READY_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def plain_environment() -> dict[str, str]:
    """This process's environment without settings of ours and without a language."""
    dropped = ("O2O_", "LC_", "LANG", "WECHAT_", "STAFF_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(dropped)},
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONIOENCODING": "utf-8",
    }


class Installation:
    """One installation's settings, and its command line."""

    def __init__(self, **settings: str) -> None:
        self.settings = settings

    def but(self, **changes: str) -> "Installation":
        return Installation(**{**self.settings, **changes})

    def environment(self) -> dict[str, str]:
        return {
            **plain_environment(),
            **{f"O2O_{name.upper()}": value for name, value in self.settings.items()},
        }

    def run(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `o2o …` to its end, away from any terminal."""
        return subprocess.run(
            [sys.executable, "-m", "o2o.app.cli", *arguments],
            input=stdin,
            env={**self.environment(), **(env or {})},
            cwd=self.settings.get("data_dir", "/"),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def done(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run a command that must go well; return what it printed."""
        ended = self.run(*arguments, stdin=stdin, env=env)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def examine(self) -> tuple[int, list[dict[str, Any]]]:
        """Run `o2o doctor --json`; return its exit status and findings."""
        ended = self.run("doctor", "--json")
        assert ended.stderr == "", ended.stderr
        findings: list[dict[str, Any]] = msgspec.json.decode(ended.stdout)
        return ended.returncode, findings


class Serving:
    """`o2o serve` until stopped."""

    def __init__(self, installation: Installation, log: Path) -> None:
        self._output = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "o2o.app.cli", "serve"],
            env=installation.environment(),
            cwd=installation.settings["data_dir"],
            stdout=self._output,
            stderr=self._output,
        )
        url = f"{installation.settings['public_url']}/readyz"
        give_up_at = time.monotonic() + READY_SECONDS
        while time.monotonic() < give_up_at:
            assert self._process.poll() is None, log.read_text()
            try:
                if httpx.get(url, timeout=2.0, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError(log.read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._output.closed:
            self.stop()


def codes(findings: list[dict[str, Any]], subject: str = "") -> dict[str, str]:
    """The codes found about a subject, each with its level."""
    return {one["code"]: one["level"] for one in findings if one["subject"] == subject}
