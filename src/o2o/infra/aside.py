"""Computing aside: hashes, documents and archives are made on a thread, so that all go on serving.

Only for what computes, or reads and writes files of this machine. A call that waits for another
machine has no place here: a transaction may be open, and the tests of the architecture allow this
one hop because of that promise.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def compute_aside(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what the function returns, computed on one of the process's threads."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def compute_on(
    threads: Executor, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    """As `compute_aside`, on threads of the caller's own, which bound how many run at once."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, partial(function, *args, **kwargs))
