"""`o2o serve`: web workers and the relay."""

import sys

import click

from o2o.app.figures import share_figures


@click.command()
@click.option("--host", default=None, help="Address to listen on (O2O_HOST).")
@click.option("--port", type=int, default=None, help="Port to listen on (O2O_PORT).")
@click.option("--workers", type=int, default=None, help="Web worker processes (O2O_WORKERS).")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the product until stopped; migrate first with `o2o migrate`."""
    share_figures()
    from o2o.app.serving import serve_until_stopped  # noqa: PLC0415
    from o2o.app.starting import settings_with_database  # noqa: PLC0415

    settings = settings_with_database()
    sys.exit(serve_until_stopped(settings, host=host, port=port, workers=workers))
