"""Any sequence of moves by any number of desks keeps the rules of the line.

Nobody is lost or doubled, numbers have no gaps, everybody is called in the order of the written
rule, and nobody is called who left. `O2O_TESTS_QUEUE_STEPS` says how many steps are taken.
"""

import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from o2o.crm.statuses import TicketStatus
from o2o.queueing.actions.move_tickets import Verb
from o2o.queueing.errors import QueueEmpty, TicketAlreadyActive
from tests.property.queue_model import BEHIND, BOOKED, IN_LINE, MEMBER, ORDINARY, RETURNS_MAX, One
from tests.property.queue_player import PERSONS, Player

STEPS = int(os.environ.get("O2O_TESTS_QUEUE_STEPS", "120"))
STEPS_PER_EXAMPLE = 40

S = TicketStatus
queues = st.integers(0, 2)
persons = st.integers(0, PERSONS - 1)
picks = st.integers(0, 10**6)
# From which statuses each verb leads somewhere.
SOURCES = {
    Verb.CALL: {S.WAITING},
    Verb.RECALL: {S.CALLED, S.SKIPPED},
    Verb.SKIP: {S.CALLED},
    Verb.RETURN: {S.CALLED, S.SKIPPED},
    Verb.SEAT: {S.WAITING, S.CALLED},
    Verb.CANCEL: {S.WAITING, S.CALLED, S.SKIPPED},
}
TARGETS = {
    Verb.CALL: S.CALLED,
    Verb.RECALL: S.CALLED,
    Verb.SKIP: S.SKIPPED,
    Verb.RETURN: S.WAITING,
    Verb.SEAT: S.SEATED,
    Verb.CANCEL: S.CANCELLED,
}


class QueueMachine(RuleBasedStateMachine):
    """Each answer must be the model's, and all lines stand as the model's do."""

    url: str

    @initialize()
    def open(self) -> None:
        self.player = Player(self.url)
        self.model = self.player.model

    def teardown(self) -> None:
        if hasattr(self, "player"):
            self.player.close()

    @rule(wishes=st.lists(st.tuples(queues, st.sampled_from("oob")), min_size=1, max_size=4))
    def parties_take(self, wishes: Sequence[tuple[int, str]]) -> None:
        """Nobody knows who they are; some have booked."""
        self.player.tick()
        outcomes = self.player.take([(q, kind == "b", None) for q, kind in wishes])
        for (queue, kind), outcome in zip(wishes, outcomes, strict=True):
            one = self.model.take(queue, BOOKED if kind == "b" else ORDINARY, None)
            self.player.keep(one, outcome)

    @rule(queue=queues, person=persons)
    def member_takes(self, queue: int, person: int) -> None:
        self.player.tick()
        held = self.model.active_of(person)
        [outcome] = self.player.take([(queue, False, person)])
        if held is not None:
            assert isinstance(outcome, TicketAlreadyActive)
            assert outcome.ticket_id == self.player.ids[held]
            return
        self.player.keep(self.model.take(queue, MEMBER, person), outcome)

    @rule(desks=st.lists(st.sets(queues, min_size=1), min_size=1, max_size=4))
    def desks_call(self, desks: Sequence[set[int]]) -> None:
        """All at once, in one batch."""
        self.player.tick()
        outcomes = self.player.call([sorted(served) for served in desks])
        for served, outcome in zip(desks, outcomes, strict=True):
            one = self.model.call(sorted(served), ids=self.player.ids)
            if one is None:
                assert isinstance(outcome, QueueEmpty)
            else:
                assert outcome.ticket_id == self.player.ids[one], "another one's turn"

    @precondition(lambda self: hasattr(self, "model") and self.model.tickets)
    @rule(verb=st.sampled_from(list(Verb)), pick=picks)
    def somebody_moves(self, verb: Verb, pick: int) -> None:
        self.player.tick()
        one = self.model.tickets[pick % len(self.model.tickets)]
        is_fine = one.status in SOURCES[verb] and not self._stands_in_the_way(verb, one)
        before = self.model.lines[one.queue].order()
        outcome = self.player.move(verb, one)
        assert self.player.is_done(outcome) is is_fine, (verb, one, outcome)
        if not is_fine:
            return
        self.model.leave(one, TARGETS[verb])
        if verb is Verb.RETURN:
            one.returns += 1
            self.player.come_back(one)
            order = self.model.lines[one.queue].order()
            ahead = order[: order.index(one)]
            assert set(before[:BEHIND]) <= set(ahead), "not behind those who go first"
            assert outcome.parties_ahead == len(ahead)

    def _stands_in_the_way(self, verb: Verb, one: One) -> bool:
        if verb is Verb.RETURN and one.returns >= RETURNS_MAX:
            return True
        is_revived = verb in {Verb.RETURN, Verb.RECALL} and one.status not in IN_LINE
        return is_revived and self.model.active_of(one.person) is not None

    @precondition(lambda self: hasattr(self, "model") and self.model.tickets)
    @rule(pick=picks, queue=queues)
    def somebody_goes_on_in_another_queue(self, pick: int, queue: int) -> None:
        self.player.tick()
        one = self.model.tickets[pick % len(self.model.tickets)]
        outcome = self.player.transfer(one, queue)
        is_fine = one.status in IN_LINE and queue != one.queue
        assert self.player.is_done(outcome) is is_fine, (one, queue, outcome)
        if not is_fine:
            return
        self.model.leave(one, S.MOVED)
        new = self.model.take(queue, one.priority, one.person)
        new.taken = one.taken
        self.player.keep(new, outcome)
        self.model.leave(new, S.CALLED)
        new.status = S.WAITING
        self.player.come_back(new)
        lane = self.model.lines[queue].lanes[new.priority]
        later = lane[lane.index(new) + 1 :]
        assert all(other.taken > new.taken or other.returns for other in later[:1])

    @precondition(lambda self: hasattr(self, "player") and self.player.earlier)
    @rule(pick=picks)
    def somebody_sends_it_again(self, pick: int) -> None:
        self.player.repeat(pick)

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "player"):
            self.player.check()


def test_any_sequence_of_moves_keeps_the_rules(sessions: Any, database_url: str) -> None:
    machine = type("Machine", (QueueMachine,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_PER_EXAMPLE),
            stateful_step_count=STEPS_PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
