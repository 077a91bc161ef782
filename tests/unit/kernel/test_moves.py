"""The table of moves: legal moves pass, others are named, and a table must be complete."""

from enum import StrEnum

import pytest

from o2o.kernel.moves import MoveNotAllowed, Moves


class Lamp(StrEnum):
    OFF = "off"
    ON = "on"
    BROKEN = "broken"


TABLE = Moves({Lamp.OFF: {Lamp.ON}, Lamp.ON: {Lamp.OFF, Lamp.BROKEN}}, final={Lamp.BROKEN})


def test_a_legal_move_passes_and_another_is_refused_by_name() -> None:
    TABLE.check(Lamp.OFF, Lamp.ON)
    with pytest.raises(MoveNotAllowed) as caught:
        TABLE.check(Lamp.BROKEN, Lamp.ON)
    assert caught.value.detail == {"source": "broken", "target": "on"}
    assert TABLE.sources_of(Lamp.BROKEN) == {Lamp.ON}


def test_a_table_that_forgets_a_status_is_refused() -> None:
    with pytest.raises(ValueError, match="does not cover"):
        Moves({Lamp.OFF: {Lamp.ON}}, final={Lamp.BROKEN})
