"""Work of the staff domain that comes round: dropping old counts of guesses."""

from o2o.infra.subscriptions import Registry
from o2o.staff.actions.count_guess import sweep_guesses

HOUR_SECONDS = 3600


def register(registry: Registry) -> None:
    """Put the domain's jobs on the timetable."""
    registry.schedule("staff.sweep_guesses", every_seconds=HOUR_SECONDS, run=sweep_guesses)
