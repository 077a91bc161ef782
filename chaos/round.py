"""One round: people and tills at work, faults among them, then quiet, questions and a judgement."""

import asyncio
import random
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec

from chaos.evidence import (
    gather_messages,
    gather_money,
    last_entry,
    read_balances,
    read_totals,
)
from chaos.history import History, read_history
from chaos.judge_messages import judge_messages
from chaos.judge_money import judge_money
from chaos.nemesis import Nemesis
from chaos.people import Person, Phones
from chaos.product import Product, wait_until
from chaos.rows import read_rows
from chaos.stories import SETTLER, MoneyStory, Stories, tell
from chaos.talkers import OUTCOME_SECONDS, Talker, Watcher
from chaos.tills import MAKE, Card, Intention, Till, top_up
from chaos.wire import Wire

ACCOUNT = "weitang"
TILLS = 8
MEMBERS = 4
TALKERS = 6
START_FEN = 60_000
TOTALS_EVERY_SECONDS = 0.5
# The lease of a dead sender, the longest wait after failures, and room to work.
QUIET_SECONDS = 240.0
ANSWER_SECONDS = 60.0
ASK_AGAIN_SHARE = 0.2


class Verdict(msgspec.Struct, kw_only=True):
    """What a round was, and what is wrong: nothing, it is hoped."""

    violations: list[str]
    figures: dict[str, int]
    faults: dict[str, int]
    seconds: float


class Cast(msgspec.Struct, kw_only=True):
    """Who takes part: members with cards (by member id), and people who only write."""

    members: dict[str, Person]
    cards: list[Card]
    talkers: list[Person]


class Round:
    """Runs one round on a product that is up."""

    def __init__(self, product: Product, *, seed: int, folder: Path) -> None:
        """Draw everything from `seed`; keep the history in `folder`."""
        self.product = product
        self.history = History(folder / f"history-{seed}.jsonl")
        self.phones = Phones(product.sandbox_url, product.url)
        self.nemesis = Nemesis(product, self.phones, self.history)
        self._seed = seed
        self._totals: list[int] = []

    def run(self, *, seconds: float, faults: Sequence[str] | None = None) -> Verdict:
        """Do the round and judge it. The product is up again afterwards."""
        started = time.monotonic()
        try:
            cast = cast_people(self.product, self.phones)
            since = last_entry(self.product)
            before = read_balances(self.product, cast.cards)
            watcher = Watcher([*cast.members.values(), *cast.talkers])
            asyncio.run(self._rage(cast, watcher, seconds=seconds, faults=faults))
            asyncio.run(self._ask_again(cast))
            wait_quiet(self.product)
            asyncio.run(self._last_look(watcher))
            self.history.close()
            stories = tell(read_history(self.history.file))
            money = gather_money(
                self.product,
                cast.cards,
                since=since,
                balances_before=before,
                totals_seen=self._totals,
            )
            messages = gather_messages(
                self.product,
                self.phones,
                watcher=watcher,
                members=cast.members,
                talkers=cast.talkers,
                since=since,
            )
            is_sound, told = self.product.verify()
        finally:
            self.phones.close()
        violations = [
            *judge_money(stories.money, stories.looks, money),
            *judge_messages(stories.sayings, messages),
            *([] if is_sound else [f"o2o ledger verify: {told}"]),
        ]
        return Verdict(
            violations=violations,
            figures=figures_of(stories)
            | {
                "transfers": len(money.transfers),
                "snapshots of the sum": len(money.totals_seen),
                "template messages": sum(len(owed) for owed in messages.owed.values()),
            },
            faults=self.nemesis.done,
            seconds=time.monotonic() - started,
        )

    async def _rage(
        self,
        cast: Cast,
        watcher: Watcher,
        *,
        seconds: float,
        faults: Sequence[str] | None,
    ) -> None:
        stopping = asyncio.Event()
        wires = [self._wire() for _ in range(TILLS)]
        tills = [Till(f"till-{n}", wire, self.history) for n, wire in enumerate(wires)]
        first_id = time.time_ns() // 1_000
        async with self._sandbox() as sandbox:
            for card in cast.cards[:MEMBERS]:
                assert await tills[0].send(top_up(card, START_FEN), seconds=ANSWER_SECONDS)
            tasks = [
                asyncio.create_task(till.work(cast.cards, self._dice(till.name), stopping))
                for till in tills
            ]
            for number, person in enumerate(cast.talkers):
                talker = Talker(person, first_id + 10_000_000 * number, self.history)
                work = talker.talk(sandbox, self._dice(f"talker-{number}"), stopping)
                tasks.append(asyncio.create_task(work))
            tasks.append(asyncio.create_task(watcher.watch(sandbox, stopping)))
            tasks.append(asyncio.create_task(self._watch_totals(stopping)))
            try:
                await asyncio.to_thread(
                    self.nemesis.rage,
                    self._dice("nemesis"),
                    seconds=seconds,
                    faults=list(faults) if faults else None,
                )
            finally:
                stopping.set()
                await asyncio.gather(*tasks)
                for wire in wires:
                    await wire.close()

    async def _ask_again(self, cast: Cast) -> None:
        """Settle every unknown by its own request, and ask about some known ones once more."""
        stories = tell(read_history(self.history.file)).money
        cards = {card.member_id: card for card in cast.cards}
        dice = self._dice("asking")
        wire = self._wire()
        till = Till(SETTLER, wire, self.history)
        for story in stories.values():
            if story.is_open or (story.oks and dice.random() < ASK_AGAIN_SHARE):
                await till.send(_again(story, cards[story.member_id]), seconds=ANSWER_SECONDS)
        for card in cast.cards:
            await till.look(card)
        await wire.close()

    async def _watch_totals(self, stopping: asyncio.Event) -> None:
        """Read the sum of the books again and again, past the application."""
        while not stopping.is_set():
            try:
                totals = await asyncio.to_thread(read_totals, self.product)
            except (subprocess.SubprocessError, OSError, IndexError):
                totals = {}
            self._totals += totals.values()
            await asyncio.sleep(TOTALS_EVERY_SECONDS)

    async def _last_look(self, watcher: Watcher) -> None:
        async with self._sandbox() as sandbox:
            await watcher.look(sandbox)

    def _dice(self, name: str) -> random.Random:
        return random.Random(f"{self._seed}/{name}")

    def _wire(self) -> Wire:
        return Wire(self.product.port, self.product.demo["api_key"])

    def _sandbox(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.product.sandbox_url, trust_env=False, timeout=OUTCOME_SECONDS
        )


def cast_people(product: Product, phones: Phones) -> Cast:
    """Have new people follow; some take cards, and as many cards of the demo are used beside."""
    joined = [phones.add(f"Member {number}", account=ACCOUNT) for number in range(MEMBERS)]
    for person in joined:
        phones.join(person)
    talkers = [phones.add(f"Talker {number}", account=ACCOUNT) for number in range(TALKERS)]
    for person in talkers:
        phones.follow(person)
    rows = read_rows(
        product.data_dir,
        "SELECT f.openid, f.member_id, a.brand_id FROM fans f JOIN official_accounts a"
        " ON a.id = f.account_id WHERE f.openid = ANY(string_to_array(:'openids', ','))",
        openids=[person.openid for person in joined],
    )
    brand_id = rows[0]["brand_id"]
    stores = read_rows(
        product.data_dir, "SELECT id FROM stores WHERE brand_id = :'brand_id'", brand_id=brand_id
    )
    members = {row["member_id"]: row["openid"] for row in rows}
    people = {person.openid: person for person in joined}
    strangers = read_rows(
        product.data_dir,
        "SELECT m.id FROM members m JOIN ledger_accounts l ON l.owner_id = m.id"
        " AND l.kind = 'member_stored_value' WHERE m.brand_id = :'brand_id'"
        " AND l.balance BETWEEN 10000 AND 60000 ORDER BY m.id LIMIT :most",
        brand_id=brand_id,
        most=MEMBERS,
    )
    ids = [*members, *(row["id"] for row in strangers if row["id"] not in members)]
    cards = [Card(name, stores[n % len(stores)]["id"]) for n, name in enumerate(ids)]
    return Cast(
        members={name: people[openid] for name, openid in members.items()},
        cards=cards,
        talkers=talkers,
    )


def wait_quiet(product: Product) -> None:
    """Wait until nothing is owed: outbox empty but for dead letters, nothing in the spool."""

    def is_quiet() -> bool:
        query = "SELECT 1 FROM outbox_messages WHERE dead_at IS NULL LIMIT 1"
        spooled = any((product.data_dir / "spool").glob("*.spool"))
        return not spooled and read_rows(product.data_dir, query) == []

    try:
        wait_until(is_quiet, seconds=QUIET_SECONDS, what="nothing is owed any more")
    except TimeoutError as error:
        raise TimeoutError(f"{error}; {_tell_owed(product)}") from None


def _tell_owed(product: Product) -> str:
    """Say what is owed still, so that a round that never was quiet can be understood."""
    rows = read_rows(
        product.data_dir,
        "SELECT id, topic, attempts, ordering_key, available_at, leased_until, leased_by,"
        " last_error, now() FROM outbox_messages WHERE dead_at IS NULL ORDER BY id LIMIT 20",
    )
    spooled = sorted(file.name for file in (product.data_dir / "spool").glob("*.spool"))
    return f"outbox: {rows}; spool: {spooled}; last printed:\n{product.log_tail()}"


def figures_of(stories: Stories) -> dict[str, int]:
    """Count what clients did and heard."""
    outcome = Counter(_outcome(story) for story in stories.money.values())
    return {
        "intentions": len(stories.money),
        "acknowledged": outcome["ok"],
        "refused": outcome["fail"],
        "once unknown": sum(story.infos > 0 for story in stories.money.values()),
        "looks": len(stories.looks),
        "messages": len(stories.sayings),
        "messages acknowledged": sum(saying.is_taken for saying in stories.sayings),
    }


def _outcome(story: MoneyStory) -> str:
    return "ok" if story.oks else "fail"


def _again(story: MoneyStory, card: Card) -> Intention:
    return MAKE[story.op](card, story.amount_fen, request_id=story.request_id)
