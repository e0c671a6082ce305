"""Processes that are killed with SIGKILL in the middle of what they do."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from typing import Any

# Loaded once, and not by each of the processes: they start in a twentieth of the time.
LOADED = ("tests.harvest.test_kill", "tests.publish.test_kill", "sqlalchemy.dialects.sqlite", "psycopg")


class Victims:
    """Kills processes at moments spread over as long as they seem to last, however fast the machine is.

    :param lasts_seconds: a first guess of how long one lasts.
    """

    def __init__(self, chance: random.Random, lasts_seconds: float) -> None:
        self._chance = chance
        self._lasts_seconds = lasts_seconds
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(LOADED))
        self.hits = 0

    def kill_one(self, target: Callable[..., None], *args: Any) -> None:
        """Call *target* in a process, with *args* and an event to set when it begins; kill it after that."""
        began = self._context.Event()
        process = self._context.Process(target=target, args=(*args, began))
        process.start()
        assert began.wait(60)
        time.sleep(self._chance.uniform(0, self._lasts_seconds))
        process.kill()
        process.join()
        hit = process.exitcode == -signal.SIGKILL
        self.hits += hit
        self._lasts_seconds = min(self._lasts_seconds * 1.1, 2.0) if hit else self._lasts_seconds * 0.8
