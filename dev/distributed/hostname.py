"""The name under which a worker of `make distributed` shows its tasks: all of them are on one machine."""

from __future__ import annotations

import os
import socket


def worker_name() -> str:
    """Return the worker's own name, or the machine's for every other component."""
    return os.environ.get("QUANTCONNECT_WORKER_NAME") or socket.getfqdn()
