"""Many ids at once: in order, all different, of the version that they say."""

import pytest

from o2o.kernel.ids import ids_from, new_id, new_id_bytes

MANY = 5_000


@pytest.mark.parametrize("count", [0, 1, MANY])
def test_so_many_are_made_as_were_asked_for(count: int) -> None:
    assert len(new_id_bytes(count)) == 16 * count
    assert len(set(ids_from(new_id_bytes(count)))) == count


def test_they_are_in_order_also_where_the_counter_carries_over() -> None:
    ids = ids_from(new_id_bytes(MANY))
    assert ids == sorted(ids)
    assert ids[4095].int >> 64 < ids[4096].int >> 64


def test_they_are_of_version_seven_and_of_this_moment() -> None:
    before, ids, after = new_id(), ids_from(new_id_bytes(MANY)), new_id()
    assert {(one.version, one.variant) for one in ids} == {(7, before.variant)}
    assert before.int >> 80 <= ids[0].int >> 80 == ids[-1].int >> 80 <= after.int >> 80


def test_neighbours_do_not_tell_each_other() -> None:
    ids = ids_from(new_id_bytes(MANY))
    assert len({one.int & ((1 << 50) - 1) for one in ids}) == MANY
