"""What a process was sent lately: tells a likely retry before anything is done for it."""

from collections.abc import Sequence

from o2o.wechat.inbox import Received

REMEMBERED_SECONDS = 30.0
# Numbers, about 1 MiB in all.
REMEMBERED_MAX = 8_000


class Recent:
    """Messages and nonces of the last minute or so.

    A hint only, for the inbox's unique keys decide. Two generations: the older is forgotten whole.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        # Hashes: two messages with the same one are taken for a retry, which is only slower.
        self._now: set[int] = set()
        self._before: set[int] = set()
        self._turns_at = 0.0

    def has_any(self, batch: Sequence[Received], *, now: float) -> bool:
        """Whether a message or a nonce of the batch came before; remember them all."""
        marks = {hash(one.place) for one in batch}
        marks.update(hash((one.account.id, one.signed_at, one.nonce)) for one in batch)
        is_known = not (marks.isdisjoint(self._now) and marks.isdisjoint(self._before))
        if now >= self._turns_at or len(self._now) > REMEMBERED_MAX:
            self._before, self._now = self._now, set()
            self._turns_at = now + REMEMBERED_SECONDS
        self._now |= marks
        return is_known
