"""The command line: `wechat-sandbox serve`."""

import argparse
import ipaddress
import sys
from collections.abc import Sequence
from pathlib import Path

PORT_MAX = 65_535


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wechat-sandbox",
        description="A stand-in for WeChat: its API, callbacks, OAuth and JS-SDK, with a phone.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the sandbox until it is stopped")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=int, default=8001, help="port; 0 takes a free one")
    serve.add_argument("--data-dir", type=Path, required=True, help="where its memory is kept")
    serve.add_argument("--control-token", help="needed to steer it; a must beyond loopback")
    serve.add_argument(
        "--webview-cookie",
        action="append",
        default=[],
        metavar="NAME",
        help="cookie of the product's pages to end when another person opens one; may repeat",
    )
    serve.add_argument("--public-url", help="address that browsers see, if another")
    serve.add_argument(
        "--leave-with-parent", action="store_true", help="end when the starting process dies"
    )
    return parser


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _problem(arguments: argparse.Namespace) -> str | None:
    if not 0 <= arguments.port <= PORT_MAX:
        return f"--port must be 0 to {PORT_MAX}"
    if not arguments.control_token and not is_loopback(arguments.host):
        return "--host beyond loopback needs --control-token"
    if arguments.public_url and not arguments.public_url.startswith(("http://", "https://")):
        return "--public-url must begin with http:// or https://"
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if (problem := _problem(arguments)) is not None:
        parser.error(problem)
    # Imported here so that `--help` does not load a web server.
    from wechat_sandbox.orphan import leave_with_parent  # noqa: PLC0415
    from wechat_sandbox.server import free_port, run  # noqa: PLC0415
    from wechat_sandbox.settings import Settings  # noqa: PLC0415

    if arguments.leave_with_parent:
        leave_with_parent()
    port = arguments.port or free_port(arguments.host)
    shown_host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    public_url = arguments.public_url or f"http://{shown_host}:{port}"
    return run(
        Settings(
            data_dir=arguments.data_dir,
            host=arguments.host,
            port=port,
            control_token=arguments.control_token or None,
            webview_cookies=tuple(arguments.webview_cookie),
            public_url=public_url.rstrip("/"),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
