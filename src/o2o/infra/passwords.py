"""Secrets of people: argon2id hashes, checked on threads of their own, in the same time for all.

Parameters: RFC 9106 with OWASP's smaller memory (19 MiB, two passes), since several may be checked
at once on a small machine. Best before the first statement of a transaction: a hash takes tens of
milliseconds.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from o2o.infra.aside import compute_on

THREADS = 2

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Two at a time: hashing must not take every core from those who are already signed in.
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")


def hash_secret(secret: str) -> str:
    """Return the argon2id hash of a password or PIN. Takes tens of milliseconds."""
    return _hasher.hash(_bytes_of(secret))


def _bytes_of(secret: str) -> bytes:
    # Half a surrogate pair is nobody's password, but it must not break the check either.
    return secret.encode("utf-8", "replace")


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def is_secret_right(kept_hash: str | None, secret: str) -> bool:
    """Whether a secret is the one that was hashed. Without a hash it takes as long, and says no."""
    try:
        return _hasher.verify(kept_hash or _nobodys_hash(), _bytes_of(secret)) and bool(kept_hash)
    except (VerificationError, InvalidHashError):
        return False


async def hash_secret_aside(secret: str) -> str:
    """Hash on a thread, so that the process goes on serving."""
    return await compute_on(_threads, hash_secret, secret)


async def check_secret_aside(kept_hash: str | None, secret: str) -> bool:
    """Check on a thread, so that the process goes on serving."""
    return await compute_on(_threads, is_secret_right, kept_hash, secret)
