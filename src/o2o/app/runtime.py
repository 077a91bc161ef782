"""What one process runs on: settings, engine, clock, seal — opened at start, closed at the end."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from o2o.infra.database import SessionFactory, check_durability, create_engine, create_sessions
from o2o.infra.seal import Seal
from o2o.infra.settings import Settings
from o2o.kernel.clock import Clock, SystemClock


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """The process's own parts, below all domains."""

    settings: Settings
    engine: AsyncEngine
    sessions: SessionFactory
    clock: Clock
    seal: Seal


def open_runtime(settings: Settings) -> Runtime:
    """Create the parts; nothing connects yet. The database address must be known by now."""
    engine = create_engine(settings.database_url, pool_size=settings.pool_size)
    return Runtime(
        settings=settings,
        engine=engine,
        sessions=create_sessions(engine),
        clock=SystemClock(),
        seal=Seal(settings.secret_key),
    )


async def check_runtime(runtime: Runtime) -> None:
    """Refuse to start on a database that could forget. Raises DurabilityOff."""
    await check_durability(runtime.engine)
