"""Every table that hangs on a member says what becomes of its rows when two become one."""

from o2o.crm import metadata
from o2o.membership.actions.move_rows import FOLLOWS, STAYS


def _hanging_on_members() -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "members" for key in column.foreign_keys)
    }


def test_every_table_that_hangs_on_a_member_is_in_the_registry() -> None:
    named = {follow.name for follow in FOLLOWS}
    unnamed = {
        name for name in _hanging_on_members() - named if name.partition(".")[0] not in STAYS
    }
    assert unnamed == set(), "say in actions/move_rows.py whether these rows go along"


def test_the_registry_names_nothing_that_is_not_there() -> None:
    hanging = _hanging_on_members()
    assert {follow.name for follow in FOLLOWS} <= hanging
    assert set(STAYS) <= {name.partition(".")[0] for name in hanging}


def test_keys_are_columns() -> None:
    for follow in FOLLOWS:
        columns = metadata.tables[follow.table].columns
        assert set(follow.key) <= set(columns.keys()), follow.name
