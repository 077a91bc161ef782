"""Who is behind a cookie: its session is found, noted as in use, and turned into a principal."""

from datetime import datetime

from o2o.crm.statuses import Audience
from o2o.infra.database import Tx, transaction
from o2o.web.platform import Platform
from o2o.web.principals import Clerk, ConsoleStaff, Diner
from o2o.web.queries import principals as queries
from o2o.web.queries.principals import EnrolledPad
from o2o.web.sessions import FoundSession, find_session, touch_session


async def find_diner(tx: Tx, token_hash: bytes, *, now: datetime) -> Diner | None:
    """Return the diner of a live session."""
    session = await _find(tx, token_hash, audience=Audience.DINER, now=now)
    return await queries.get_diner(tx, session) if session else None


async def find_clerk(tx: Tx, token_hash: bytes, *, pad: EnrolledPad, now: datetime) -> Clerk | None:
    """Return the clerk of a live session on this pad."""
    session = await _find(tx, token_hash, audience=Audience.PAD, now=now)
    return await queries.find_clerk(tx, session, pad=pad) if session else None


async def find_console_staff(tx: Tx, token_hash: bytes, *, now: datetime) -> ConsoleStaff | None:
    """Return the person of a live console session."""
    session = await _find(tx, token_hash, audience=Audience.CONSOLE, now=now)
    return await queries.find_console_staff(tx, session) if session else None


async def find_diner_of_token(platform: Platform, token: str) -> Diner | None:
    """Return the diner of a cookie's token, outside any request (event streams)."""
    async with transaction(platform.sessions) as tx:
        token_hash = platform.seal.hash_of(token, use="session")
        return await find_diner(tx, token_hash, now=platform.clock.now())


async def find_clerk_of_tokens(platform: Platform, *, secret: str, token: str) -> Clerk | None:
    """Return the clerk of a pad's two cookies, outside any request (event streams)."""
    async with transaction(platform.sessions) as tx:
        pad = await queries.find_pad(tx, platform.seal.hash_of(secret, use="pad"))
        if pad is None:
            return None
        token_hash = platform.seal.hash_of(token, use="session")
        return await find_clerk(tx, token_hash, pad=pad, now=platform.clock.now())


async def _find(
    tx: Tx, token_hash: bytes, *, audience: Audience, now: datetime
) -> FoundSession | None:
    session = await find_session(tx, token_hash, audience=audience, now=now)
    if session is not None:
        await touch_session(tx, session, now=now)
    return session
