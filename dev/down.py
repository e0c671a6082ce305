"""`make down`: end every process that `make up` started, and nothing else."""

from __future__ import annotations

from dev import processes
from dev.console import say, step
from dev.settings import RECORDS
from dev.up import end_all


def main() -> None:
    """End them all, and say so when there was nothing to end."""
    if not processes.all_members(processes.read(RECORDS)):
        end_all()
        say("Nothing of ours is running.")
        return
    with step("Ending Airflow"):
        end_all()


if __name__ == "__main__":
    main()
