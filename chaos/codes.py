"""The member code under attack: replayed after its life, scanned twice, at two pads at once.

Against a real database, in batches as the pads' own tills commit them.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import msgspec
from sqlalchemy import text

from chaos.results import append_lines
from o2o.crm.statuses import BrandKind, CallbackMode, StaffRoleName
from o2o.infra.audit import SYSTEM
from o2o.infra.database import SessionFactory, Tx, create_engine, create_sessions, transaction
from o2o.infra.embedded_postgres import start_embedded, stop_embedded
from o2o.infra.migrations import migrate
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.kernel.ids import BrandId, StoreId
from o2o.ledger.actions.open_accounts import open_store_accounts
from o2o.membership.actions.issue_card import create_member_with_card
from o2o.membership.actions.issue_member_code import code_hash
from o2o.membership.actions.open_visits import OpenVisit, open_visits
from o2o.membership.rules.limits import CODE_LASTS
from o2o.membership.rules.member_code import new_member_code
from o2o.membership.scanners import AtPad
from o2o.staff.actions.create_staff import RoleAt, create_staff
from o2o.staff.actions.enrol_pad import add_pad
from o2o.stores.actions.create_brand import NewTier, create_brand
from o2o.stores.actions.create_store import create_store
from o2o.wechat.actions.register_account import AccountDetails, register_account

BATCH = 100
_ISSUE = text(
    "INSERT INTO member_codes (code_hash, member_id, brand_id, issued_at, expires_at)"
    " SELECT h, :member_id, :brand_id, :now, :expires_at FROM unnest(CAST(:hashes AS bytea[])) h"
)


class CodesVerdict(msgspec.Struct, kw_only=True):
    """How often each attack succeeded, of `trials` each."""

    trials: int
    opened_when_fresh: int = 0
    opened_after_life: int = 0
    opened_twice: int = 0
    pairs_with_exactly_one: int = 0

    @property
    def is_right(self) -> bool:
        """Whether no attack succeeded and no honest scan failed."""
        return (
            self.opened_when_fresh == self.pairs_with_exactly_one == self.trials
            and self.opened_after_life == self.opened_twice == 0
        )

    def lines(self) -> list[str]:
        """Tell the figures, each with its trials."""
        of = f"of {self.trials:,}"
        return [
            f"fresh code opens a visit: {self.opened_when_fresh:,} {of}",
            f"screenshot replayed after 61 s: {self.opened_after_life:,} accepted {of}",
            f"second scan within its life: {self.opened_twice:,} accepted {of}",
            f"two pads at once, exactly one opens: {self.pairs_with_exactly_one:,} {of} pairs",
        ]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Two pads of one store, and a member whose codes are scanned there."""

    pads: tuple[AtPad, AtPad]
    member_id: UUID
    brand_id: UUID


async def attack_codes(
    sessions: SessionFactory, seal: Seal, place: Place, *, trials: int, now: datetime
) -> CodesVerdict:
    """Try each attack so often and say how often it succeeded."""
    verdict = CodesVerdict(trials=trials)
    order = Random(trials)
    for begins in range(0, trials, BATCH):
        count = min(BATCH, trials - begins)
        late = await _issue(sessions, seal, place, count=count, now=now)
        over = now + CODE_LASTS + timedelta(seconds=1)
        verdict.opened_after_life += sum(await _scan(sessions, late, place.pads[0], now=over))

        used = await _issue(sessions, seal, place, count=count, now=now)
        soon = now + timedelta(seconds=1)
        verdict.opened_when_fresh += sum(await _scan(sessions, used, place.pads[0], now=soon))
        verdict.opened_twice += sum(await _scan(sessions, used, place.pads[1], now=soon))

        wanted = await _issue(sessions, seal, place, count=count, now=now)
        # Each pad in an order of its own, so that they meet in the middle.
        mixed = order.sample(range(count), count)
        first, second = await asyncio.gather(
            _scan(sessions, wanted, place.pads[0], now=soon),
            _scan(sessions, [wanted[at] for at in mixed], place.pads[1], now=soon),
        )
        by_code = list(first)
        for at, opened in zip(mixed, second, strict=True):
            by_code[at] += opened
        verdict.pairs_with_exactly_one += by_code.count(1)
    return verdict


async def _issue(
    sessions: SessionFactory, seal: Seal, place: Place, *, count: int, now: datetime
) -> list[bytes]:
    hashes = [code_hash(seal, new_member_code()) for _ in range(count)]
    async with transaction(sessions) as tx:
        await tx.execute(
            _ISSUE,
            {
                "member_id": place.member_id,
                "brand_id": place.brand_id,
                "now": now,
                "expires_at": now + CODE_LASTS,
                "hashes": hashes,
            },
        )
    return hashes


async def _scan(
    sessions: SessionFactory, hashes: Sequence[bytes], by: AtPad, *, now: datetime
) -> list[int]:
    """Scan one after another in small transactions; 1 for each that opened a visit."""
    opened: list[int] = []
    for begins in range(0, len(hashes), 10):
        commands = [
            OpenVisit(code_hash=one, by=by, now=now) for one in hashes[begins : begins + 10]
        ]
        async with transaction(sessions) as tx:
            outcomes = await open_visits(tx, commands)
        opened += [0 if isinstance(outcome, Fact) else 1 for outcome in outcomes]
    return opened


def run_codes(trials: int) -> int:
    """Start a database of its own, attack, tell, write the figures down. 0 when all is right."""
    with tempfile.TemporaryDirectory(prefix="o2o-codes-") as name:
        folder = Path(name)
        url = start_embedded(folder)
        try:
            migrate(url)
            verdict = asyncio.run(_attack(url, trials=trials))
        finally:
            stop_embedded(folder)
    for line in verdict.lines():
        print(line)
    append_lines(verdict.lines(), command=f"python -m chaos codes --trials {trials}")
    return 0 if verdict.is_right else 1


async def _attack(url: str, *, trials: int) -> CodesVerdict:
    engine = create_engine(url, pool_size=4)
    sessions, seal = create_sessions(engine), Seal(secrets.token_hex(32))
    now = datetime.now(UTC)
    place = await _set_up(sessions, seal, now=now)
    try:
        return await attack_codes(sessions, seal, place, trials=trials, now=now)
    finally:
        await engine.dispose()


async def open_store(tx: Tx, seal: Seal, *, now: datetime) -> tuple[BrandId, StoreId]:
    """Make a brand with an account and one store."""
    brand_id = await create_brand(
        tx,
        slug="codes",
        name="Codes",
        name_en="Codes",
        kind=BrandKind.RESTAURANT,
        hue="#0a7d4f",
        terms_version="1",
        card_prefix="660000",
        tiers=[NewTier(code="basic", name="Basic", spend_from_fen=0)],
        now=now,
    )
    details = AccountDetails(
        slug="codes",
        appid=f"wx{secrets.token_hex(8)}",
        original_id="gh_codes",
        name="Codes",
        place_word="store",
        secret=secrets.token_hex(16),
        token="codestoken",  # noqa: S106 - of no account anywhere
        encoding_aes_key=None,
        mode=CallbackMode.PLAIN,
    )
    account_id = await register_account(tx, seal=seal, brand_id=brand_id, details=details, now=now)
    store_id = await create_store(
        tx,
        brand_id=brand_id,
        account_id=account_id,
        code="one",
        name="Store one",
        city="Shanghai",
        district="",
        address="",
        latitude=31.2,
        longitude=121.4,
        phone="021-00000000",
        hours={},
        timezone="Asia/Shanghai",
        now=now,
    )
    await open_store_accounts(tx, brand_id=brand_id, store_ids=[store_id], now=now)
    return brand_id, store_id


async def _set_up(sessions: SessionFactory, seal: Seal, *, now: datetime) -> Place:
    async with transaction(sessions) as tx:
        brand_id, store_id = await open_store(tx, seal, now=now)
        staff_id = await create_staff(
            tx,
            brand_id=brand_id,
            login="clerk",
            name="Clerk",
            roles=[RoleAt(StaffRoleName.CLERK, store_id)],
            password_hash=None,
            pin_hash=None,
            actor=SYSTEM,
            now=now,
        )
        pads = [
            await add_pad(
                tx, seal=seal, store_id=store_id, name=name, enrolled_by=staff_id, now=now
            )
            for name in ("left", "right")
        ]
        member_id = await create_member_with_card(
            tx, brand_id=brand_id, card_prefix="660000", now=now
        )
    left, right = (
        AtPad(pad_id=pad.pad_id, store_id=store_id, staff_id=staff_id, brand_id=brand_id)
        for pad in pads
    )
    return Place(pads=(left, right), member_id=member_id, brand_id=brand_id)
