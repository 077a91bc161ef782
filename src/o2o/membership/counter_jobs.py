"""What the counter does when others act: members hear what was undone, and what needs a yes."""

from datetime import timedelta

from o2o.infra.database import Tx
from o2o.infra.live import live_push
from o2o.infra.outbox import send
from o2o.infra.subscriptions import Registry
from o2o.kernel.clock import Clock
from o2o.kernel.ids import MemberId
from o2o.ledger.events import StoredValueDebitReversed, StoredValueTopUpReversed
from o2o.ledger.queries import get_wallet
from o2o.membership.events import ChargeAsked
from o2o.membership.rules.limits import VISIT_LASTS
from o2o.notifications.actions.ask_for_payment import ask_for_payment
from o2o.notifications.actions.tell_of_money import tell_of_reversal
from o2o.web.copy import Words

# A question that comes when the visit is nearly over only confuses.
ASK_WITHIN = VISIT_LASTS - timedelta(minutes=1)
Reversed = StoredValueDebitReversed | StoredValueTopUpReversed


def register(registry: Registry, *, clock: Clock, words: Words, public_url: str) -> None:
    """Listen to the ledger and to the counter itself."""
    jobs = CounterJobs(clock=clock, words=words, public_url=public_url)
    registry.subscribe(ChargeAsked, jobs.ask)
    registry.subscribe(StoredValueDebitReversed, jobs.tell_of_reversal)
    registry.subscribe(StoredValueTopUpReversed, jobs.tell_of_reversal)
    registry.subscribe(StoredValueDebitReversed, jobs.show_balance)
    registry.subscribe(StoredValueTopUpReversed, jobs.show_balance)


class CounterJobs:
    """Thin listeners: each takes an event and calls one action."""

    def __init__(self, *, clock: Clock, words: Words, public_url: str) -> None:
        """Tell the time by this clock, and people what happens in these words."""
        self._clock = clock
        self._words = words
        self._public_url = public_url

    async def ask(self, tx: Tx, event: ChargeAsked) -> None:
        """Ask in the chat too: the card page may be closed."""
        now = self._clock.now()
        if now - event.at > ASK_WITHIN:
            return
        await ask_for_payment(
            tx,
            words=self._words,
            public_url=self._public_url,
            request_id=event.request_id,
            member_id=event.member_id,
            store_id=event.store_id,
            amount_fen=event.amount_fen,
            now=now,
        )

    async def tell_of_reversal(self, tx: Tx, event: Reversed) -> None:
        """Send the member the message of what was taken back."""
        is_debit = isinstance(event, StoredValueDebitReversed)
        to = self._words.text(f"shifts.told.reversed_{'debit' if is_debit else 'top_up'}")
        await tell_of_reversal(
            tx,
            transfer_id=event.transfer_id,
            reverses_id=event.reverses_id,
            member_id=event.member_id,
            store_id=event.store_id,
            # Of a top-up the principal is what comes back to the person.
            amount_fen=event.amount_fen if is_debit else event.principal_fen,
            to=to,
            at=event.at,
            now=self._clock.now(),
        )

    async def show_balance(self, tx: Tx, event: Reversed) -> None:
        """Bring the member's open page up to date, with what the books say now."""
        wallet = await get_wallet(tx, MemberId(event.member_id))
        data = {"balance_fen": wallet.balance_fen, "points": wallet.points}
        push = live_push(f"member:{event.member_id}", "balance", data)
        await send(tx, [push], now=self._clock.now())
