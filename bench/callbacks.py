"""Comparison 1: the message callback — verified, decrypted, deduplicated, durable, answered.

The server of each contestant has one core; PostgreSQL and the load share the other. All get the
same messages, in rounds that take turns.
"""

from collections.abc import Iterable
from itertools import cycle

from bench.contestants import (
    Workshop,
    start_co_wechat,
    start_hello,
    start_product,
    start_werobot,
)
from bench.database import Postgres, checkpoint
from bench.figures import Round
from bench.findings import Finding
from bench.load import Target, run_round
from bench.machine import resident_mib
from bench.messages import Messages, ReplyCheck
from bench.servers import Server
from bench.world import World

# More than anybody answers in a second here; a faster contestant merely ends its round early.
MESSAGES_PER_SECOND = 14_000
WARM_UP_SECONDS = 1.5
OURS = "o2o callback"
LIMIT = "bare ASGI hello"
INBOX = "inbound_messages"


async def compare_callbacks(
    shop: Workshop,
    postgres: Postgres,
    world: World,
    *,
    rounds: int,
    seconds: float,
    server_cores: set[int],
) -> Finding:
    """Run the contestants in turns and count the inbox against the answers."""
    messages = Messages(world.account)
    check = ReplyCheck(world.account)
    servers: list[Server] = []
    ran: list[Round] = []
    try:
        product = start_product(
            shop, postgres.url, secret_key=world.secret_key, cores=server_cores
        )
        servers.append(product)
        servers.append(start_hello(shop, cores=server_cores))
        servers.append(start_co_wechat(shop, world.account, cores=server_cores))
        servers.append(start_werobot(shop, world.account, cores=server_cores))
        ours, hello, *peers = servers
        targets = [
            Target(name=OURS, url=ours.url, holds=b"<Encrypt>", check=check),
            Target(name=LIMIT, url=hello.url, holds=b"hello"),
            *(
                Target(name=peer.name, url=peer.url, holds=b"<Encrypt>", check=check)
                for peer in peers
            ),
        ]
        memory_before = resident_mib(product.worker_pid)
        rows_before = postgres.count(INBOX)
        answered = await _warm_up(targets, messages)
        for _ in range(rounds):
            sent = messages.requests(int(MESSAGES_PER_SECOND * seconds))
            for target in targets:
                await checkpoint(postgres)
                one = await run_round(target, _for(target, sent), seconds=seconds)
                ran.append(one)
                answered += one.answered if target.name == OURS else 0
        rows = postgres.count(INBOX) - rows_before
        memory = resident_mib(product.worker_pid)
    finally:
        for server in servers:
            server.stop()
    return Finding(
        title="Message callback",
        ours=OURS,
        rounds=ran,
        facts={
            "inbox rows": rows,
            "messages answered by o2o": answered,
            "worker RSS before, MiB": round(memory_before),
            "worker RSS after, MiB": round(memory),
        },
        faults=_faults(ran, rows=rows, answered=answered),
    )


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
