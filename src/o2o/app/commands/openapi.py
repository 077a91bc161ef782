"""`o2o openapi`: the API's description as JSON."""

import json

import click

from o2o.app.site import describe_api


@click.command()
def openapi() -> None:
    """Print the OpenAPI description of /api/v1."""
    click.echo(json.dumps(describe_api(), ensure_ascii=False, indent=2))
