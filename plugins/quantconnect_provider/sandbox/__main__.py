"""``python -m quantconnect_provider.sandbox``: the sandbox in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys

from quantconnect_provider.sandbox.app import SandboxApp
from quantconnect_provider.sandbox.auth import Credentials
from quantconnect_provider.sandbox.scenario import ScenarioError, load_scenario
from quantconnect_provider.sandbox.server import DEFAULT_PORT, HOST, bind, make_server, run
from quantconnect_provider.sandbox.world import World


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code."""
    options = _parser().parse_args(arguments)
    level = logging.WARNING if options.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", stream=sys.stdout)
    try:
        world = World(load_scenario(options.scenario), options.user_id, options.seed)
        listener = bind(options.port, options.host)
    except ScenarioError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"sandbox: cannot listen on {options.host}:{options.port}: {error.strerror}\n")
        return 2
    if options.host != HOST:
        sys.stderr.write("sandbox: other machines can reach this; its credentials are known to everybody\n")
    app = SandboxApp(world, Credentials(options.user_id, options.api_token))
    run(_serve(app, listener))
    return 0


async def _serve(app: SandboxApp, listener: socket.socket) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, app.stopping.set)
    listener.listen(2048)
    host, port = listener.getsockname()
    sys.stdout.write(
        f"QuantConnect sandbox on http://{host}:{port}/api/v2 (user id {app.credentials.user_id})\n"
    )
    sys.stdout.flush()
    await make_server(app).serve(sockets=[listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m quantconnect_provider.sandbox", description="A local QuantConnect (REST API v2)."
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="0 is any free one (default: %(default)s)"
    )
    parser.add_argument(
        "--host", default=HOST, help="another address is for the inside of a container (default: %(default)s)"
    )
    parser.add_argument("--user-id", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--api-token", default="sandbox", help="(default: %(default)s)")
    parser.add_argument("--scenario", help="a YAML or JSON file; see docs/sandbox.md")
    parser.add_argument("--seed", type=int, help="overrides the scenario's")
    parser.add_argument("--quiet", action="store_true", help="no line for each request")
    return parser


if __name__ == "__main__":
    sys.exit(main())
