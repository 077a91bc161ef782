"""Understanding a batch: every ask goes along its chain until somebody has an answer."""

from collections.abc import Callable, Sequence

from o2o.infra.database import Tx
from o2o.wechat.chat.asks import Answer, AnswerMany, Ask, Given
from o2o.wechat.codec.replies import NO_REPLY

NOTHING = Answer(NO_REPLY)


async def understand(
    tx: Tx, asks: Sequence[Ask], *, chain_of: Callable[[Ask], Sequence[AnswerMany]]
) -> list[Answer]:
    """Return one answer per ask, in order; asks for the same answerer share one call."""
    answers: list[Answer] = [NOTHING] * len(asks)
    chains = [iter(chain_of(ask)) for ask in asks]
    waiting = list(range(len(asks)))
    while waiting:
        groups: dict[AnswerMany, list[int]] = {}
        for index in waiting:
            answerer = next(chains[index], None)
            if answerer is not None:
                groups.setdefault(answerer, []).append(index)
        waiting = []
        for answerer, indexes in groups.items():
            given = await answerer(tx, [asks[index] for index in indexes])
            for index, one in zip(indexes, given, strict=True):
                if one is None:
                    waiting.append(index)
                else:
                    answers[index] = _answer(one)
        waiting.sort()
    return answers


def _answer(given: Given) -> Answer:
    assert given is not None
    return given if isinstance(given, Answer) else Answer(given)
