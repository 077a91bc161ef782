"""`o2o worker`: the relay and the schedule alone."""

import click
import uvloop

from o2o.app.relay_process import run_relay_process
from o2o.app.starting import settings_with_database
from o2o.infra.logging import configure_logging


@click.command()
def worker() -> None:
    """Carry outbox messages and run scheduled jobs until stopped."""
    settings = settings_with_database()
    configure_logging(as_json=settings.log_json)
    uvloop.run(run_relay_process(settings))
