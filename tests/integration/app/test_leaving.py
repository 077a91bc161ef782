"""`o2o serve` told to stop while phones listen: their streams end, and it leaves by itself."""

import asyncio
from pathlib import Path

import httpx

from o2o.app.runtime import open_runtime
from o2o.infra.settings import read_settings
from o2o.kernel.clock import SystemClock
from tests.factories.diners import DinerSession, given_diner
from tests.factories.members import given_counter
from tests.integration.app.programs import Installation, Serving

BALANCE = b'event: balance\ndata: {"points":0,"balance_fen":10000}\n\n'


async def a_phone(installation: Installation) -> DinerSession:
    runtime = open_runtime(read_settings(installation.environment()))
    try:
        counter = await given_counter(runtime.sessions, seal=runtime.seal)
        return await given_diner(runtime.sessions, counter, seal=runtime.seal, clock=SystemClock())
    finally:
        await runtime.engine.dispose()


def test_open_streams_do_not_keep_it_from_leaving(
    installation: Installation, tmp_path: Path
) -> None:
    phone = asyncio.run(a_phone(installation))
    url = f"{installation.settings['public_url']}/h5/{phone.slug}/live"
    with (
        Serving(installation, tmp_path / "serve.log") as serving,
        httpx.Client(cookies=phone.cookies, trust_env=False, timeout=60) as browser,
        browser.stream("GET", url) as stream,
    ):
        heard = stream.iter_bytes()
        assert next(heard) == b"retry: 2000\n\n"
        serving.stop()
        # A worker that has to be killed breaks off: httpx would raise RemoteProtocolError. How the
        # card stood may have been on its way.
        assert b"".join(heard) in {b"", BALANCE}
