"""The heads of the chain of seals, kept in a file outside the database.

Who can rewrite the database can rewrite its seals with it, from any point to the end, and drop the
last of them. They cannot make the new chain pass through the heads that were noted elsewhere: in
this file, in the log, on an auditor's paper (`--expect-head`).
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from o2o.infra.logging import get_logger
from o2o.ledger.seals import SealHead

log = get_logger(__name__)

FILE_NAME = "ledger-heads"


class HeadsFile:
    """One line for each head: the head, then up to which entry and when."""

    def __init__(self, folder: Path) -> None:
        """Keep the file in this folder."""
        self.path = folder.joinpath(FILE_NAME)

    async def note(self, payload: dict[str, Any]) -> None:
        """Write a head down for good. Doing it twice does no harm."""
        head = SealHead.parse(payload["head"])
        line = f"{head} to_seq={payload['to_seq']} sealed_at={payload['sealed_at']}\n"
        await asyncio.to_thread(self._append, line)
        log.info("ledger.head_noted", head=str(head), to_seq=payload["to_seq"])

    def list_heads(self) -> list[SealHead]:
        """Return all heads noted here, none where there is no file. Raises ValueError."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="ascii").splitlines()
        return [SealHead.parse(line.split(" ")[0]) for line in lines if line.strip()]

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(line.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
