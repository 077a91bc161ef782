"""Check number and scratch code of a card: wrong ones are counted for the person, address and card.

Unknown card and wrong code are one refusal, and cost the same time.
"""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from o2o.infra.audit import Actor, note
from o2o.infra.database import Tx
from o2o.infra.locks import lock_names
from o2o.infra.seal import Seal
from o2o.kernel.errors import Fact
from o2o.membership.actions.import_code import code_hash
from o2o.membership.errors_identity import CardCodeWrong, CardGuessLocked
from o2o.membership.queries.offline_cards import FoundCard, find_offline_card
from o2o.membership.rules.scratch_cards import fold_card_code, fold_card_no
from o2o.staff.actions.count_guess import GuessLimit, count_guess, guess_key, seconds_until
from o2o.staff.queries import list_guess_locks

HOUR = timedelta(hours=1)
# The fifth wrong one locks.
FAN_LIMIT = GuessLimit(use="card_by_fan", free=4, window=HOUR, lock=HOUR)
CARD_LIMIT = GuessLimit(use="card", free=4, window=HOUR, lock=HOUR)
# Mobile carriers put thousands of people behind one address: five would lock out a town.
ADDRESS_LIMIT = GuessLimit(use="card_by_address", free=19, window=HOUR, lock=HOUR)


async def check_card_code(
    tx: Tx,
    *,
    brand_id: UUID,
    fan_id: UUID,
    address: str,
    card_no: str,
    code: str,
    seal: Seal,
    now: datetime,
) -> FoundCard | Fact:
    """Return the card whose code this is; a refusal comes back as data, since it stays counted.

    Facts: CardCodeWrong, CardGuessLocked.
    """
    number = fold_card_no(card_no)
    # What is no number at all is counted as one, too: locks tell nothing about cards.
    keys = [
        (guess_key(FAN_LIMIT, fan_id), FAN_LIMIT),
        (guess_key(ADDRESS_LIMIT, address), ADDRESS_LIMIT),
        (guess_key(CARD_LIMIT, f"{brand_id}:{number}"), CARD_LIMIT),
    ]
    # One after another: a hundred guesses at once are a hundred, not one.
    await lock_names(tx, *(f"card-guess:{key.hex()}" for key, _ in keys))
    locks = await list_guess_locks(tx, [key for key, _ in keys], now=now)
    if locks:
        wait = max(seconds_until(until, now) for until in locks.values())
        return CardGuessLocked(retry_after_seconds=wait)
    card = await find_offline_card(tx, brand_id=brand_id, card_no=number) if number else None
    given = code_hash(seal, card_no=number or "", code=fold_card_code(code) or "")
    kept = card.code_hash if card else None
    is_right = hmac.compare_digest(given, kept if kept is not None else bytes(len(given)))
    if card is not None and kept is not None and is_right:
        return card
    waits = [await count_guess(tx, key, limit=limit, now=now) for key, limit in sorted(keys)]
    if locked := [wait for wait in waits if wait is not None]:
        await note(
            tx,
            actor=Actor("fan", fan_id),
            action="card.guess_locked",
            at=now,
            subject=("offline_card", card.id) if card else None,
        )
        return CardGuessLocked(retry_after_seconds=max(locked))
    return CardCodeWrong()
