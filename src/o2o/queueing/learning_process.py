"""Learning in a process of its own: past days in, what they say out, as MessagePack.

A thread of the relay would hold Python's lock for seconds while calls wait to be told. The process
ends by itself, whatever becomes of who started it.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

import msgspec

from o2o.queueing.rules.wait_learning import Learnt, PastDay, learn

# Whatever else there is to do goes first.
NICENESS = 19


class LearningFailed(Exception):
    """The process ended without an answer; the text says how."""


class Question(msgspec.Struct, frozen=True):
    """The days of one queue, oldest first, and how many are served at once."""

    days: list[PastDay]
    servers: int


async def learn_apart(days: Sequence[PastDay], *, servers: int) -> Learnt | None:
    """Return what `learn` says of these days, None when too little. Raises LearningFailed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        answer, _ = await process.communicate(msgspec.msgpack.encode(Question(list(days), servers)))
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        msg = f"it ended with status {process.returncode}"
        raise LearningFailed(msg)
    return msgspec.msgpack.decode(answer, type=Learnt | None)


def main() -> None:
    """Answer one question."""
    os.nice(NICENESS)
    question = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Question)
    learnt = learn(question.days, servers=question.servers)
    sys.stdout.buffer.write(msgspec.msgpack.encode(learnt))


if __name__ == "__main__":
    main()
