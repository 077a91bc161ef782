"""Idempotency: an intention that was already carried out is answered, not repeated."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from o2o.infra.database import Tx
from o2o.kernel.errors import Conflict
from o2o.kernel.ids import RequestId


class RequestBodyDiffers(Conflict):
    """The request id was used before, for something else."""

    code = "request.body_differs"


def body_hash(operation: str, *parts: Any) -> bytes:
    """Hash what was asked, 32 bytes; equal intentions have equal hashes."""
    return hashlib.sha256(msgspec.json.encode([operation, *parts], enc_hook=str)).digest()


async def claim_request(
    tx: Tx, *, request_id: RequestId, operation: str, asked: bytes, now: datetime
) -> dict[str, Any] | None:
    """Claim an intention for this transaction; return the earlier answer if there is one.

    A concurrent holder of the same id is waited for. Raises RequestBodyDiffers.
    """
    inserted = await tx.execute(
        text(
            "INSERT INTO idempotent_requests (request_id, operation, body_hash, created_at)"
            " VALUES (:request_id, :operation, :asked, :now)"
            " ON CONFLICT DO NOTHING RETURNING 1"
        ),
        {"request_id": request_id, "operation": operation, "asked": asked, "now": now},
    )
    if inserted.first() is not None:
        return None
    row = (
        await tx.execute(
            text("SELECT body_hash, answer FROM idempotent_requests WHERE request_id = :id"),
            {"id": request_id},
        )
    ).one()
    if bytes(row.body_hash) != asked:
        raise RequestBodyDiffers(request_id=str(request_id))
    answer: dict[str, Any] = row.answer or {}
    return answer


async def keep_answer(tx: Tx, *, request_id: RequestId, answer: dict[str, Any]) -> None:
    """Keep what was answered, for whoever sends the same intention again."""
    await tx.execute(
        text(
            "UPDATE idempotent_requests SET answer = CAST(:answer AS jsonb)"
            " WHERE request_id = :request_id"
        ),
        {"request_id": request_id, "answer": msgspec.json.encode(answer).decode()},
    )
