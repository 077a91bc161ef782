"""The stand-in for WeChat as a process beside the product."""

import subprocess
import sys
import time
from pathlib import Path

import httpx

START_SECONDS = 30.0
POLL_SECONDS = 0.05
# Cookies of diners' pages: another person in the phone means another jar.
WEBVIEW_COOKIES = ("o2o_diner", "o2o_pre")


class SandboxDidNotStart(Exception):
    """The stand-in ended or did not answer in time."""


def start_sandbox(
    *, port: int, data_dir: Path, leaves_with_parent: bool = True
) -> subprocess.Popen[bytes]:
    """Start the stand-in as a program of its own; nothing of it is imported here."""
    cookies = [part for name in WEBVIEW_COOKIES for part in ("--webview-cookie", name)]
    log = (data_dir / "sandbox.log").open("ab")
    return subprocess.Popen(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "wechat_sandbox.cli", "serve"),
            *("--port", str(port), "--data-dir", str(data_dir / "sandbox"), *cookies),
            *(["--leave-with-parent"] if leaves_with_parent else []),
        ],
        stdout=log,
        stderr=log,
    )


def wait_for_sandbox(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the stand-in answers. Raises SandboxDidNotStart."""
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            raise SandboxDidNotStart
        try:
            if httpx.get(f"{url}/_sandbox/accounts", timeout=2.0, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(POLL_SECONDS)
    raise SandboxDidNotStart
