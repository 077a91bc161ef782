"""How long a session lives without being used."""

from datetime import timedelta

from o2o.crm.statuses import Audience

# Seven days for a diner, two minutes at a pad (it locks itself), half an hour at the console.
IDLE = {
    Audience.DINER: timedelta(days=7),
    Audience.PAD: timedelta(minutes=2),
    Audience.CONSOLE: timedelta(minutes=30),
}
