"""Bring the demo's database to life: seeded once, credentials kept in step with the stand-in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from o2o.app.demo.bills import write_bills
from o2o.app.demo.booking import load_booking
from o2o.app.demo.file import (
    DemoBoughtCard,
    DemoCard,
    DemoFile,
    DemoLogin,
    DemoStore,
    accounts_of,
    read_demo_file,
    write_demo_file,
)
from o2o.app.demo.history import write_history
from o2o.app.demo.keeping import load_keeping
from o2o.app.demo.seeding import (
    SandboxAccount,
    details_of,
    hash_staff_secrets,
    seed_group,
)
from o2o.app.demo.seeding_bookings import seed_bookings
from o2o.app.demo.seeding_keeping import seed_bought_cards, seed_kept
from o2o.app.demo.seeding_members import replay_history, seed_members
from o2o.app.demo.seeding_purchases import seed_menus, seed_purchases
from o2o.app.demo.seeding_queues import gather_crowds, seed_queues
from o2o.app.demo.world import World
from o2o.app.runtime import Runtime
from o2o.infra.audit import SYSTEM
from o2o.infra.database import Tx, allow_pauses, transaction
from o2o.kernel.money import AMOUNT_FEN_MAX
from o2o.membership.queries import MemberView, get_member_view, list_card_numbers
from o2o.staff.actions.issue_api_key import issue_api_key
from o2o.staff.rules import SCOPES
from o2o.stores.queries import find_brand, list_stores
from o2o.wechat.actions.register_account import register_account
from o2o.wechat.queries.accounts import find_account_by_slug

API_KEY_NAME = "demo"
# No lower than any amount: what a card holds is limit enough for a demo.
UNATTENDED_DEBIT_FEN_MAX = AMOUNT_FEN_MAX
SEED_PAUSE_SECONDS = 300
# Cards with something on them and room for more come first in demo.json.
HANDY_FEN = range(5_000, 100_000)


async def prepare_demo(
    runtime: Runtime, world: World, *, accounts: Sequence[SandboxAccount], sandbox_url: str
) -> DemoFile:
    """Seed an empty database in one transaction, or refresh an earlier one; write demo.json."""
    path = runtime.settings.data_dir / "demo.json"
    async with transaction(runtime.sessions) as tx:
        is_seeded = await find_brand(tx, world.brands[0].slug) is not None
    if is_seeded:
        async with transaction(runtime.sessions) as tx:
            await _refresh_credentials(tx, runtime, accounts=accounts)
    else:
        hashes = hash_staff_secrets(world)
        async with transaction(runtime.sessions) as tx:
            # Sixty days are made up in between, on a machine that may have better things to do.
            await allow_pauses(tx, seconds=SEED_PAUSE_SECONDS)
            await _seed(tx, runtime, world, accounts=accounts, hashes=hashes)
    async with transaction(runtime.sessions) as tx:
        await gather_crowds(tx, world, now=runtime.clock.now())
    async with transaction(runtime.sessions) as tx:
        content = await _describe(tx, runtime, world, path=path, sandbox_url=sandbox_url)
    write_demo_file(path, content)
    return content


async def _seed(
    tx: Tx,
    runtime: Runtime,
    world: World,
    *,
    accounts: Sequence[SandboxAccount],
    hashes: Mapping[str, tuple[str | None, str | None]],
) -> None:
    now = runtime.clock.now()
    history = write_history(world, now=now)
    places = await seed_group(
        tx, world, accounts=accounts, hashes=hashes, seal=runtime.seal, now=now
    )
    members = await seed_members(tx, world, history=history, places=places, now=now)
    await replay_history(tx, world, movements=history.movements, places=places, members=members)
    await seed_menus(tx, world, places=places, now=now)
    bills = list(write_bills(world, history.movements))
    await seed_purchases(tx, world, bills=bills, places=places, members=members, now=now)
    keeping = load_keeping()
    await seed_bought_cards(tx, world, keeping, places=places, seal=runtime.seal, now=now)
    await seed_kept(tx, keeping, members=history.members, entered=members, places=places, now=now)
    await seed_queues(tx, world, places=places, now=now)
    await seed_bookings(tx, world, load_booking(), places=places, now=now)


async def _refresh_credentials(
    tx: Tx, runtime: Runtime, *, accounts: Sequence[SandboxAccount]
) -> None:
    """Take over credentials that the stand-in issued anew, as when its own data was removed."""
    for issued in accounts:
        known = await find_account_by_slug(tx, issued.slug)
        if known is None:
            continue
        await register_account(
            tx,
            seal=runtime.seal,
            brand_id=known.brand_id,
            details=details_of(issued, name=known.name, place_word=known.place_word),
            now=runtime.clock.now(),
        )


async def _describe(
    tx: Tx, runtime: Runtime, world: World, *, path: Path, sandbox_url: str
) -> DemoFile:
    earlier = read_demo_file(path)
    api_key = earlier.api_key if earlier else await _issue_key(tx, runtime)
    stores = []
    ids: dict[str, UUID] = {}
    for brand in world.brands:
        row = await find_brand(tx, brand.slug)
        assert row is not None
        for store in await list_stores(tx, brand_id=row.id):
            ids[store.code] = store.id
            stores.append(DemoStore(str(store.id), store.name, store.city))
    return DemoFile(
        product_url=runtime.settings.public_url,
        sandbox_url=sandbox_url,
        api_key=api_key,
        accounts=accounts_of(world),
        stores=stores,
        members=[DemoCard(str(view.id), view.card_no) for view in await _list_members(tx)],
        staff=[
            DemoLogin(
                login=person.login,
                password=person.password or person.pin or "",
                role=person.role,
                name=person.name,
                pin=person.pin,
                store_id=str(ids[person.stores[0]]) if person.stores else None,
            )
            for person in world.staff
        ],
        bought_cards=[
            DemoBoughtCard(world.account_of(card.brand).slug, card.card_no, card.code)
            for card in load_keeping().bought_cards
        ],
    )


async def _list_members(tx: Tx) -> list[MemberView]:
    """List members brand by brand, the handy ones first."""
    views = [
        await get_member_view(tx, member_id, brand_id=None)
        for member_id, _ in await list_card_numbers(tx)
    ]
    return sorted(views, key=lambda view: (view.card_no[:6], not _is_handy(view), view.card_no))


def _is_handy(view: MemberView) -> bool:
    return view.is_named and view.balance_fen in HANDY_FEN


async def _issue_key(tx: Tx, runtime: Runtime) -> str:
    issued = await issue_api_key(
        tx,
        seal=runtime.seal,
        brand_id=None,
        name=API_KEY_NAME,
        scopes=SCOPES,
        unattended_debit_fen_max=UNATTENDED_DEBIT_FEN_MAX,
        actor=SYSTEM,
        now=runtime.clock.now(),
    )
    return issued.token
