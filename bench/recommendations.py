"""What recommendations are worth: do they meet what members take next, more than bestsellers do?

Every member's last visit is held out; the product counts, recommends and is judged by what was
on that bill. docs/algorithms/recommendations.md tells what is measured and what is not.
"""

import argparse
import asyncio
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import text

from bench.database import Postgres
from bench.machine import cores
from o2o.app.demo.bills import DemoBill, write_bills
from o2o.app.demo.history import write_history
from o2o.app.demo.seeding import Places, SandboxAccount, seed_group
from o2o.app.demo.seeding_members import seed_members
from o2o.app.demo.seeding_purchases import seed_menus, seed_purchases
from o2o.app.demo.world import World, load_world
from o2o.crm.statuses import CallbackMode
from o2o.infra.database import SessionFactory, Tx, create_engine, create_sessions, transaction
from o2o.infra.seal import Seal, new_token
from o2o.kernel.ids import MemberId
from o2o.membership.queries.recommendations import recommend

OFFERED = 3
# The history ends here, so that every run measures the same one.
DAY = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
# Who came less often has shown no taste yet, to us or to the baseline.
VISITS_BEFORE_MIN = 1

_BESTSELLERS = text(
    "SELECT item_code FROM item_popularities WHERE store_id = :store_id AND item_code <> ''"
    " ORDER BY weight DESC, item_code LIMIT :most"
)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """How often one of three offers was taken, and how many of the offers were, by whom."""

    visits: int
    ours_hit: int
    ours_taken: int
    bestsellers_hit: int
    bestsellers_taken: int

    @property
    def ratio(self) -> float:
        """Hits of ours for one of the bestsellers."""
        return self.ours_hit / max(self.bestsellers_hit, 1)

    def told(self) -> str:
        """Write the figures on one line."""
        return (
            f"{self.visits} held-out visits: hit@{OFFERED} {self.ours_hit / self.visits:.3f}"
            f" against {self.bestsellers_hit / self.visits:.3f} of the store's bestsellers"
            f" (ratio {self.ratio:.2f}); of {OFFERED} offered {self.ours_taken / self.visits:.2f}"
            f" taken against {self.bestsellers_taken / self.visits:.2f}"
        )


async def measure(sessions: SessionFactory, world: World, *, now: datetime) -> dict[str, Measured]:
    """Enter the demo's members and bills without each last visit; measure each kind of place."""
    history = write_history(world, now=now)
    bills = list(write_bills(world, history.movements))
    last = {bill.member_ref: bill for bill in bills}
    known = [bill for bill in bills if bill is not last[bill.member_ref]]
    async with transaction(sessions) as tx:
        places = await _enter_places(tx, world, now=now)
        members = await seed_members(tx, world, history=history, places=places, now=now)
        await seed_menus(tx, world, places=places, now=now)
        await seed_purchases(tx, world, bills=known, places=places, members=members, now=now)
    async with transaction(sessions) as tx:
        return {
            brand.kind: await _judge(
                tx,
                [
                    bill
                    for ref, bill in sorted(last.items())
                    if ref.startswith(brand.slug) and bill.number > VISITS_BEFORE_MIN
                ],
                places=places,
                members=members,
            )
            for brand in world.brands
        }


async def _judge(
    tx: Tx, held_out: Sequence[DemoBill], *, places: Places, members: Mapping[str, MemberId]
) -> Measured:
    ours_hit = ours_taken = bestsellers_hit = bestsellers_taken = visits = 0
    for bill in held_out:
        taken = {line.dish.code for line in bill.lines if not line.dish.is_extra}
        if not taken:
            continue
        store_id = places.stores[bill.store]
        offered = await recommend(
            tx, members[bill.member_ref], store_id=store_id, now=bill.at, limit=OFFERED
        )
        values = {"store_id": store_id, "most": OFFERED}
        bestsellers = (await tx.scalars(_BESTSELLERS, values)).all()
        ours = len(taken & {offer.item_code for offer in offered})
        theirs = len(taken & set(bestsellers))
        visits += 1
        ours_hit += ours > 0
        ours_taken += ours
        bestsellers_hit += theirs > 0
        bestsellers_taken += theirs
    return Measured(
        visits=visits,
        ours_hit=ours_hit,
        ours_taken=ours_taken,
        bestsellers_hit=bestsellers_hit,
        bestsellers_taken=bestsellers_taken,
    )


async def _enter_places(tx: Tx, world: World, *, now: datetime) -> Places:
    """Create brands, stores and staff; nobody can sign in, and nothing reaches WeChat."""
    accounts = [
        SandboxAccount(
            slug=account.slug,
            appid=f"wx{secrets.token_hex(8)}",
            original_id=f"gh_{secrets.token_hex(6)}",
            secret=secrets.token_hex(16),
            token=secrets.token_hex(16),
            encoding_aes_key=b64encode(secrets.token_bytes(32)).decode().rstrip("="),
            mode=CallbackMode.SAFE,
        )
        for account in world.accounts
    ]
    nobody = {person.login: (None, None) for person in world.staff}
    return await seed_group(
        tx, world, accounts=accounts, hashes=nobody, seal=Seal(new_token()), now=now
    )


def main(work: Path, words: Sequence[str]) -> int:
    """Run `python -m bench recommendations` on the demo's history of a fixed day."""
    argparse.ArgumentParser(prog="python -m bench recommendations").parse_args(words)
    postgres = Postgres(work / "recommendations", on=set(cores()))

    async def run() -> None:
        engine = create_engine(postgres.url, pool_size=2)
        try:
            measured = await measure(create_sessions(engine), load_world(), now=DAY)
            for kind, figures in measured.items():
                print(f"{kind}: {figures.told()}")
        finally:
            await engine.dispose()

    try:
        asyncio.run(run())
    finally:
        postgres.stop()
    return 0
