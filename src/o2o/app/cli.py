"""The command line: `o2o …`. Commands are imported only when they are called."""

import importlib
import sys
from typing import Any

import click

from o2o import __version__

# Name → (module:function, what it is for). Help must not import the web framework.
COMMANDS = {
    "demo": (
        "o2o.app.commands.demo:demo",
        "Run everything, with demo data and a phone.",
    ),
    "serve": ("o2o.app.commands.serve:serve", "Serve the product: web workers and the relay."),
    "worker": ("o2o.app.commands.worker:worker", "Run the relay and the schedule alone."),
    "migrate": ("o2o.app.commands.migrate:migrate_command", "Bring the database up to date."),
    "doctor": ("o2o.app.commands.doctor:doctor", "Check the installation and say what to fix."),
    "ledger": ("o2o.app.commands.ledger:ledger", "Verify the books."),
    "outbox": ("o2o.app.commands.outbox:outbox", "Look at dead letters and retry them."),
    "account": ("o2o.app.commands.account:account", "Register and change official accounts."),
    "store": ("o2o.app.commands.store:store", "Register stores and open their books."),
    "staff": ("o2o.app.commands.staff:staff", "Enter people who sign in at pads and the console."),
    "key": ("o2o.app.commands.key:key", "Issue and revoke API keys."),
    "import": ("o2o.app.commands.imports:import_", "Bring in old cards and bills from files."),
    "bridge": (
        "o2o.app.commands.bridge:bridge",
        "Keep in step with a hall's own queue machine.",
    ),
    "openapi": ("o2o.app.commands.openapi:openapi", "Print the API's OpenAPI description."),
}


class LazyCommands(click.Group):
    """A group that imports a command when it is called, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=LazyCommands)
@click.version_option(__version__, message="o2o %(version)s")
def cli() -> None:
    """Run the O2O membership and ordering suite for chains inside WeChat."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; settings that cannot work end it with a sentence, not a trace."""
    from o2o.infra.settings import SettingsWrong  # noqa: PLC0415

    try:
        return cli.main(args=arguments, prog_name="o2o")
    except SettingsWrong as wrong:
        click.echo(f"{wrong}", err=True)
        sys.exit(78)  # EX_CONFIG of sysexits.h


if __name__ == "__main__":
    main()
