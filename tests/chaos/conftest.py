"""One stage for the whole suite. It is run by `make chaos`, and stays out of the way of everything else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.cases import Case
from tests.chaos.stage import Count, Stage

HERE = Path(__file__).parent
COUNT = pytest.StashKey[Count]()
OWN_AIRFLOW = ("test_fast_waits.py", "test_guards.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Take part only when asked by name: it starts a whole Airflow and kills parts of it."""
    asked = any(Path(str(arg).split("::")[0]).resolve().is_relative_to(HERE) for arg in config.args)
    return None if asked else True


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Airflow, the sandbox, and every selected case under way at once."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends pytest ends Airflow with it
    params = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    cases = [param["case"] for param in params if isinstance(param.get("case"), Case)]
    with Stage(tmp_path_factory.mktemp("chaos") / "airflow") as stage:
        stage.play_all(cases)
        yield stage
        if stage.is_whole():
            request.config.stash[COUNT] = stage.count()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the count, right before pytest's own last line."""
    count = config.stash.get(COUNT, None)
    if count is not None:
        terminalreporter.section("chaos")
        for kind, number in count.faults.most_common():
            terminalreporter.write_line(f"{number:5d}  {kind}")
        terminalreporter.write_line(str(count))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that start an Airflow of their own: the machine has room for one at a time."""
    items.sort(key=lambda item: item.path.name not in OWN_AIRFLOW)
