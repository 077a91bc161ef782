"""Every table that knows something about people is in the list that copies and deletions follow."""

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

from o2o.crm import metadata
from o2o.membership.queries.personal_data import KNOWLEDGE, Fate

# Rows under these lead to a person.
PEOPLE = {"members", "fans", "ledger_accounts"}
NAMED_FOR_PEOPLE = {
    "openid",
    "unionid",
    "nickname",
    "avatar_url",
    "birthday",
    "phone",
    "member_id",
    "fan_id",
}
# Tables with such a column that are about nobody we serve, each with its reason.
ABOUT_NOBODY = {
    "ledger_lot_draws": "amounts between transfers and lots, which are in the list",
    "ledger_lot_returns": "likewise",
    "ledger_reversals": "how much of a transfer went back",
    "stores": "the phone of a store",
    "shifts": "how many notes of which value lay in a till",
    "queue_settings": "which coupon answers a broken promise",
    "wait_models": "how long parties stay at the tables of a class, none of them named",
    "imports": "why a file could not be read: places in it, never its cells",
}


def is_about_people(table: Table) -> bool:
    """By a name, by a foreign key, or by a form in which anything may stand."""
    return any(
        column.name in NAMED_FOR_PEOPLE
        or column.name.endswith("_member_id")
        or isinstance(column.type, JSONB)
        or any(key.column.table.name in PEOPLE for key in column.foreign_keys)
        # The books name what they are about without foreign keys.
        or (table.name.startswith("ledger_") and column.name in {"account_id", "transfer_id"})
        for column in table.columns
    )


def test_every_table_about_people_is_in_the_list() -> None:
    known = {knowledge.table for knowledge in KNOWLEDGE}
    about_people = {table.name for table in metadata.sorted_tables if is_about_people(table)}

    assert about_people - known - ABOUT_NOBODY.keys() == set()
    assert ABOUT_NOBODY.keys() - (about_people - known) == set()


def test_the_list_names_tables_that_there_are_each_once() -> None:
    names = [knowledge.table for knowledge in KNOWLEDGE]

    assert len(names) == len(set(names))
    assert set(names) - metadata.tables.keys() == set()


def test_what_stays_and_what_is_not_told_has_a_reason() -> None:
    for knowledge in KNOWLEDGE:
        assert (knowledge.fate is Fate.DELETE) != bool(knowledge.why), knowledge.table
        assert (knowledge.fate is Fate.SCRUB) == bool(knowledge.scrub), knowledge.table
        assert bool(knowledge.given) != bool(knowledge.untold), knowledge.table


def test_what_is_deleted_is_deleted_before_what_it_points_to() -> None:
    deleted = [k.table for k in KNOWLEDGE if k.fate is Fate.DELETE]
    for place, name in enumerate(deleted):
        targets = {
            key.column.table.name
            for column in metadata.tables[name].columns
            for key in column.foreign_keys
        }
        assert targets & set(deleted[:place]) == set(), name


def test_the_check_sees_a_table_that_was_forgotten() -> None:
    assert is_about_people(metadata.tables["cards"])
    assert is_about_people(metadata.tables["ledger_lots"])
    assert is_about_people(metadata.tables["outbox_messages"])
    assert not is_about_people(metadata.tables["top_up_packages"])
