"""`make pythons`: the wheel and the default suite on the other Pythons, and on the oldest Airflow.

    PYTHONS="3.10 airflow-3.3.0" make pythons        # only these
    TESTS="tests/client tests/live" make pythons     # only these tests, which takes less time

Each has an environment of its own in .pythons/, made anew each time and left there with its log, so that a
failure can be looked at. The Python and the Airflow of .venv are left out: `make test` tries them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dev.console import fail, say, step
from dev.constraints import CONSTRAINTS
from dev.tables import table
from dev.venv import NEWEST, OLDEST, ROOT, child_environment
from dev.wheel import PROGRAM, build

FOLDER = ROOT / ".pythons"
OURS = "{}.{}".format(*sys.version_info[:2])
EXTRAS = "dev,postgres"
LIMIT_SECONDS = 45 * 60
NOT_HERE = "not here"
HEADER = (
    "name",
    "Python",
    "Airflow",
    "installed",
    "registered",
    "passed",
    "failed",
    "skipped",
    "whole",
    "seconds",
)
OLD_AIRFLOW = {"aiosqlite": "<0.22"}
"""What Airflow's oldest release does not go with, and does not say so itself."""

# The folder is the checkout's; the package that its files import is the wheel's. DagBag needs no database.
DAGS = f"""
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(ROOT / "dags")!r})
assert not bag.import_errors, bag.import_errors
assert bag.dags
"""


@dataclass(frozen=True)
class Case:
    """One environment to try: the version of Python, and of Airflow if it is not that of constraints.txt."""

    name: str
    python: str
    airflow: str | None = None

    @property
    def folder(self) -> Path:
        """The virtual environment."""
        return FOLDER / self.name

    @property
    def log(self) -> Path:
        """All that its commands said."""
        return FOLDER / f"{self.name}.log"


@dataclass
class Outcome:
    """What came of a case."""

    python: str = NOT_HERE
    airflow: str = "-"
    installed: bool = False
    registered: bool = False
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    whole: bool = False  # pytest came to its end, and says itself that nothing failed
    seconds: float = 0

    @property
    def good(self) -> bool:
        """Whether everything was tried and nothing failed."""
        return self.registered and self.whole and self.passed > 0

    def row(self, name: str) -> list[object]:
        """Return its row in the table."""
        if self.python == NOT_HERE:
            return [name, NOT_HERE, *["-"] * (len(HEADER) - 2)]
        answers = ["yes" if answer else "NO" for answer in (self.installed, self.registered)]
        counts = (self.passed, self.failed, self.skipped, "yes" if self.whole else "NO")
        return [name, self.python, self.airflow, *answers, *counts, f"{self.seconds:.0f}"]


def oldest_airflow() -> str:
    """Read the lowest version of Airflow that pyproject.toml allows."""
    found = re.search(r'"apache-airflow>=([\d.]+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if not found:
        fail("pyproject.toml names no lowest version of apache-airflow")
    return ".".join([*found[1].split("."), "0", "0"][:3])


def cases() -> dict[str, Case]:
    """Name every environment that can be tried."""
    minors = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
    known = [Case(version, version) for version in minors if version != OURS]
    airflow = oldest_airflow()
    return {case.name: case for case in (*known, Case(f"airflow-{airflow}", OURS, airflow))}


def interpreters(version: str) -> list[Path]:
    """List where a version of Python may be: on PATH, in pyenv's folder with the newest first, in .venv."""
    on_path = shutil.which(f"python{version}")
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    released = [folder for folder in versions.glob(f"{version}.*") if folder.name.split(".")[-1].isdecimal()]
    released.sort(key=lambda folder: int(folder.name.split(".")[-1]), reverse=True)
    ours = [Path(sys.executable)] if version == OURS else []
    return [*([Path(on_path)] if on_path else []), *(folder / "bin" / "python" for folder in released), *ours]


def find(version: str) -> tuple[Path, str] | None:
    """Find a Python of this version that starts, and its whole version.

    A name on PATH alone says little: pyenv has one for each version, which fails unless that one is chosen.
    """
    for path in interpreters(version):
        show = "import platform; print(platform.python_version())"
        try:
            done = subprocess.run([path, "-c", show], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.startswith(f"{version}."):
            return path, done.stdout.strip()
    return None


def run(case: Case, *arguments: str | Path, python: Path | None = None) -> tuple[bool, str]:
    """Run the environment's Python (or another) in the checkout; whether it succeeded, and what it said."""
    with (
        tempfile.TemporaryDirectory() as home,
        case.log.open("a+", encoding="utf-8", errors="replace") as log,
    ):
        start = log.seek(0, os.SEEK_END)
        try:
            done = subprocess.run(
                [python or case.folder / "bin" / "python", *arguments],
                cwd=ROOT,
                env={**child_environment(), "AIRFLOW_HOME": home},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=LIMIT_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            log.write(f"\n{problem}\n")
            return False, str(problem)
        log.seek(start)
        return done.returncode == 0, log.read()


def constraints(case: Case) -> Path:
    """Return the constraints of a case: our own, or a file with another Airflow in place of ours."""
    if case.airflow is None:
        return CONSTRAINTS
    other = ("apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk", *OLD_AIRFLOW)
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition("==")[0] not in other]
    pins = [f"{name}{versions}" for name, versions in OLD_AIRFLOW.items()]
    path = FOLDER / f"{case.name}.constraints.txt"
    path.write_text("\n".join([*kept, f"apache-airflow=={case.airflow}", *pins, ""]), encoding="utf-8")
    return path


def install(case: Case, interpreter: Path, wheel: Path) -> bool:
    """Make the environment, and install the wheel into it with its dependencies as pip resolves them."""
    if not run(case, "-m", "venv", "--clear", case.folder, python=interpreter)[0]:
        return False
    options = ("--no-input", "--no-compile", "--disable-pip-version-check", "--constraint", constraints(case))
    if not run(case, "-m", "pip", "install", *options, f"{wheel}[{EXTRAS}]")[0]:
        return False
    # Some packages ship files for other Python versions, which do not compile here and are never imported.
    run(case, "-m", "compileall", "-qq", "-j", "0", *case.folder.glob("lib/python*/site-packages"))
    return True


def run_suite(case: Case, outcome: Outcome) -> None:
    """Run the default suite; count by the last line of pytest: 2 failed, 8 passed, 1 skipped in 9.9s."""
    tests = os.environ.get("TESTS", "").split()
    options = ("-q", "-n", "3", "--dist", "worksteal", "-p", "no:cacheprovider")
    outcome.whole, said = run(case, "-m", "pytest", *options, *tests)
    last = said.rstrip().rpartition("\n")[2]
    counts = {kind: int(count) for count, kind in re.findall(r"(\d+) (passed|failed|skipped|error)", last)}
    outcome.passed, outcome.skipped = counts.get("passed", 0), counts.get("skipped", 0)
    outcome.failed = counts.get("failed", 0) + counts.get("error", 0)


def look(case: Case, outcome: Outcome) -> None:
    """Ask the installed Airflow for the provider, and let it import the DAG files."""
    show = "import airflow; print('version', airflow.__version__)"
    found = re.search(r"(?m)^version ([\d.]+)$", run(case, "-c", show)[1])
    outcome.airflow = found[1] if found else "?"
    good = case.airflow in (None, outcome.airflow)
    outcome.registered = good and run(case, "-c", PROGRAM)[0] and run(case, "-c", DAGS)[0]


def attempt(case: Case, wheel: Path) -> Outcome:
    """Try one case."""
    found = find(case.python)
    if found is None:
        return Outcome()
    started = time.monotonic()
    case.log.unlink(missing_ok=True)
    interpreter, version = found
    outcome = Outcome(version, installed=install(case, interpreter, wheel))
    if outcome.installed:
        look(case, outcome)
        run_suite(case, outcome)
    outcome.seconds = time.monotonic() - started
    return outcome


def chosen() -> list[Case]:
    """Return the cases that PYTHONS names, or all of them."""
    known = cases()
    names = os.environ.get("PYTHONS", "").split() or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        fail(f"PYTHONS names {', '.join(unknown)}; there is {', '.join(known)}")
    return [known[name] for name in names]


def complaints(case: Case) -> str:
    """Name the tests that failed, and where the rest stands."""
    lines = case.log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return "\n".join([*failed[:20], f"All that was said: {case.log}"])


def main() -> None:
    """Try each case, print the table; ends with 1 if something failed or nothing was there to try."""
    wanted = chosen()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
    outcomes = {}
    for case in wanted:
        with step(f"Trying {case.name}"):
            outcomes[case.name] = outcome = attempt(case, wheel)
        if outcome.python != NOT_HERE and not outcome.good:
            say(complaints(case))
    say(f"\n{table([outcome.row(name) for name, outcome in outcomes.items()], HEADER)}\n")
    tried = [outcome for outcome in outcomes.values() if outcome.python != NOT_HERE]
    good = [outcome for outcome in tried if outcome.good]
    passed = sum(outcome.passed for outcome in tried)
    say(f"{len(good)} of {len(tried)} good, {len(wanted) - len(tried)} not here; {passed:,} tests passed")
    if not tried or len(good) < len(tried):
        fail("not everything was tried and passed" if tried else "no other Python is here")


if __name__ == "__main__":
    main()
