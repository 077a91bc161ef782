"""Runs the application on granian's embedded server until it is told to stop."""

import asyncio
import fcntl
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from wechat_sandbox.app import create_app
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.settings import Settings

BACKLOG = 1024
# Live streams hold a place each; the default would let a few phones starve everyone else.
BACKPRESSURE = 4096
READY_SECONDS_MAX = 20.0


LOCK_NAME = "sandbox.lock"


def free_port(host: str) -> int:
    """A port nobody uses at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def check_port_is_free(host: str, port: int) -> None:
    """Raises OSError. The server itself would share a taken port and get half of its calls."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


@contextmanager
def sole_use(data_dir: Path) -> Iterator[None]:
    """Hold the memory for this process alone. Raises BlockingIOError while another has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


async def _wait_until_ready(settings: Settings) -> None:
    deadline = asyncio.get_running_loop().time() + READY_SECONDS_MAX
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    while True:
        try:
            _reader, writer = await asyncio.open_connection(host, settings.port)
        except OSError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def serve(settings: Settings) -> None:
    """Print one line when ready; SIGINT and SIGTERM end streams and close the books."""
    sandbox = Sandbox(settings)
    server = Server(
        create_app(sandbox),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_enabled=False,
    )

    def stop() -> None:
        sandbox.hub.close()
        server.stop()  # type: ignore[no-untyped-call]  # granian ships this without types

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop)
    serving = asyncio.create_task(server.serve())
    ready = asyncio.create_task(_wait_until_ready(settings))
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        await ready
        print(f"wechat-sandbox ready at {settings.public_url}", flush=True)  # noqa: T201 - the one line promised
    await serving


def run(settings: Settings) -> int:
    """Serve until stopped; the exit code."""
    try:
        check_port_is_free(settings.host, settings.port)
        with sole_use(settings.data_dir):
            uvloop.run(serve(settings))
    except BlockingIOError:
        print(f"wechat-sandbox: {settings.data_dir} is in use", file=sys.stderr)  # noqa: T201 - says why it ends
        return 1
    except OSError as error:
        print(f"wechat-sandbox cannot listen: {error}", file=sys.stderr)  # noqa: T201 - says why it ends
        return 1
    return 0
