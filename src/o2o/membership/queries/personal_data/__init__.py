"""What every table of the schema knows about one person: the one list that both the copy of a
member's data and the deletion of a member follow.

A table with a column about people that stands in none of the lists fails `tests/architecture`, so
that a table of tomorrow cannot be forgotten.
"""

from o2o.membership.queries.personal_data.at_counter import AT_COUNTER
from o2o.membership.queries.personal_data.exchange import EXCHANGE
from o2o.membership.queries.personal_data.knowledge import Fate, Knowledge
from o2o.membership.queries.personal_data.money import MONEY
from o2o.membership.queries.personal_data.person import Person, get_person, person_values
from o2o.membership.queries.personal_data.waiting import WAITING
from o2o.membership.queries.personal_data.who import WHO

# In the order in which a deletion works through them: what names a person first. Whoever is about
# to write to that person waits for that row, and what was written before is seen by what follows.
KNOWLEDGE: tuple[Knowledge, ...] = (*WHO, *EXCHANGE, *AT_COUNTER, *WAITING, *MONEY)

__all__ = ["KNOWLEDGE", "Fate", "Knowledge", "Person", "get_person", "person_values"]
