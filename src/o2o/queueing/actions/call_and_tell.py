"""Call the next party and queue the message that tells it so, in one transaction.

The phone then waits for one look of the relay less, and a call costs one transaction instead of
two. The event of the call tells whoever could not be told here.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from o2o.infra.database import Tx
from o2o.kernel.errors import Fact
from o2o.queueing.actions.call_next import call_next
from o2o.queueing.actions.tell_of_calls import Called, tell_of_calls
from o2o.queueing.actions.tell_parties import Voice
from o2o.queueing.commands import CalledTicket, CallNext
from o2o.queueing.queries.parties import list_parties


async def call_and_tell(
    tx: Tx, commands: Sequence[CallNext], *, voice: Voice, now: datetime
) -> list[CalledTicket | Fact]:
    """Do as `call_next` does, with its facts and events, and tell the parties.

    A party is called at `now`, not when its desk asked: that may have waited for its turn.
    """
    outcomes = await call_next(tx, [msgspec.structs.replace(one, now=now) for one in commands])
    calls = [
        Called(
            ticket_id=call.ticket_id,
            call_seq=call.call_seq,
            desk=call.desk,
            is_recall=False,
            at=call.called_at,
        )
        for call in outcomes
        if isinstance(call, CalledTicket) and not call.is_replay
    ]
    if calls:
        # Days and tickets are locked here: waiting for somebody who is being forgotten, who may
        # wait for those, would be a ring.
        parties = await list_parties(tx, {call.ticket_id for call in calls}, waits=False)
        await tell_of_calls(tx, voice, calls, now=now, parties=parties)
    return outcomes
