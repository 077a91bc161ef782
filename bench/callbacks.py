"""Comparison 1: the message callback — verified, decrypted, deduplicated, durable, answered.

The server of each contestant has one core; PostgreSQL and the load share the other. All get the
same messages, in rounds that take turns.
"""

from collections.abc import Iterable
from itertools import cycle

from bench.arena import Arena
from bench.contestants import start_co_wechat, start_hello, start_werobot
from bench.database import checkpoint
from bench.figures import Round
from bench.findings import Claim, Finding
from bench.load import Target, run_round
from bench.machine import resident_mib
from bench.messages import Messages, ReplyCheck
from bench.servers import Server

# More than anybody answers in a second here; a faster contestant merely ends its round early.
MESSAGES_PER_SECOND = 14_000
WARM_UP_SECONDS = 1.5
OURS = "o2o callback"
LIMIT = "bare ASGI hello"
RSS_MIB_MAX = 200
INBOX = "inbound_messages"


async def compare_callbacks(arena: Arena) -> Finding:
    """Run the contestants in turns and count the inbox against the answers."""
    shop, postgres, world = arena.shop, arena.postgres, arena.world
    messages = Messages(world.account)
    check = ReplyCheck(world.account)
    servers: list[Server] = []
    ran: list[Round] = []
    try:
        product = arena.start_product()
        servers.append(product)
        servers.append(start_hello(shop, cores=arena.server_cores))
        servers.append(start_co_wechat(shop, world.account, cores=arena.server_cores))
        servers.append(start_werobot(shop, world.account, cores=arena.server_cores))
        ours, hello, *peers = servers
        targets = [
            Target(name=OURS, url=ours.url, pid=ours.pid, holds=b"<Encrypt>", check=check),
            Target(name=LIMIT, url=hello.url, pid=hello.pid, holds=b"hello"),
            *(
                Target(name=peer.name, url=peer.url, pid=peer.pid, holds=b"<Encrypt>", check=check)
                for peer in peers
            ),
        ]
        memory_before = resident_mib(product.worker_pid)
        rows_before = postgres.count(INBOX)
        answered = await _warm_up(targets, messages)
        for _ in range(arena.rounds):
            sent = messages.requests(int(MESSAGES_PER_SECOND * arena.seconds))
            for target in targets:
                await checkpoint(postgres)
                one = await run_round(target, _for(target, sent), seconds=arena.seconds)
                ran.append(one)
                answered += one.answered if target.name == OURS else 0
        rows = postgres.count(INBOX) - rows_before
        memory = resident_mib(product.worker_pid)
    finally:
        for server in servers:
            server.stop()
    finding = Finding(
        title="Message callback",
        ours=OURS,
        rounds=ran,
        facts={
            "distinct messages answered by o2o": answered,
            "inbox rows": rows,
            "worker RSS before, MiB": round(memory_before),
            "worker RSS after, MiB": round(memory),
        },
        faults=_faults(ran, rows=rows, answered=answered),
    )
    finding.claims = _claims(finding, memory=memory)
    return finding


async def _warm_up(targets: list[Target], messages: Messages) -> int:
    """Let compilers compile and caches fill; return how many messages the product answered."""
    sent = messages.requests(int(MESSAGES_PER_SECOND * WARM_UP_SECONDS))
    answered = 0
    for target in targets:
        one = await run_round(target, _for(target, sent), seconds=WARM_UP_SECONDS)
        answered += one.answered if target.name == OURS else 0
    return answered


def _for(target: Target, sent: list[bytes]) -> Iterable[bytes]:
    # The bare server does not look at what it gets, so it may get it again.
    return cycle(sent) if target.name == LIMIT else sent


def _faults(ran: list[Round], *, rows: int, answered: int) -> list[str]:
    faults = [f"{one.name}: {one.errors}" for one in ran if one.errors]
    if rows != answered:
        faults.append(f"{rows} inbox rows for {answered} distinct messages answered")
    return faults


def _claims(finding: Finding, *, memory: float) -> list[Claim]:
    p99 = next((one.p99_ms for one in finding.standings if one.name == OURS), None)
    return [
        Claim(says="callback ÷ co-wechat", figure=finding.times("co-wechat"), mark=1.8),
        Claim(says="callback ÷ WeRoBot", figure=finding.times("WeRoBot"), mark=3.0),
        Claim(says="p99 of the callback, ms", figure=p99, mark=100.0, is_least=False),
        Claim(says="worker RSS, MiB", figure=memory, mark=RSS_MIB_MAX, is_least=False),
    ]
