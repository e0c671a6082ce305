"""Make or complete a virtual environment from lock files; standard library only, for a bare python3.

    python3 -m dev.venv [EXTRA ...]        # .venv with the provider (editable) and these extras

Only what requirements/ names is installed, at these versions and with these hashes. What was installed is
written down in `installed.json` inside the environment: a run with nothing to do costs a fifth of a second,
and a changed lock file or pyproject.toml is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dev.console import fail, must_be_writable, step, tail

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
OLDEST, NEWEST = (3, 10), (3, 13)
NO_VENV = """this python3 can make no virtual environment with pip in it.
  On Debian or Ubuntu:  apt install python3-venv python3-pip
  Elsewhere, use another Python:  make PYTHON=/path/to/python3.12 ..."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment: where it is and what decides what is in it."""

    path: Path
    base: str  # the lock file that is always installed; each extra adds the one of its name
    project: Path | None = None  # source to install as editable
    compiled: Sequence[Path] = ()  # folders of source to compile beside the installed packages
    locks: Path = LOCKS

    @property
    def python(self) -> Path:
        """The interpreter inside the environment."""
        return self.path / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Where it is written down what was installed."""
        return self.path / "installed.json"

    @property
    def log(self) -> Path:
        """What venv and pip said the last time."""
        return self.path / "install.log"

    def requirements(self, extras: Collection[str]) -> list[Path]:
        """Name the lock files of the environment with these extras."""
        return [self.locks / f"{name}.txt" for name in (self.base, *sorted(extras))]

    def inputs(self, extras: Collection[str]) -> list[Path]:
        """Name the files whose change makes a new installation necessary."""
        return self.requirements(extras) + ([self.project / "pyproject.toml"] if self.project else [])


PROVIDER = Environment(
    path=ROOT / ".venv",
    base="base",
    project=ROOT,
    compiled=(ROOT / "plugins", ROOT / "dags", ROOT / "dev"),
)


def child_environment() -> dict[str, str]:
    """Return the variables for child processes: bytecode allowed, no trace of another environment."""
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def choose_python() -> None:
    """Go on with a Python that Airflow supports: this one, or one from PATH in its place."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.run([other, "-c", ""], capture_output=True, check=False).returncode == 0:
            os.execv(other, [other, "-m", "dev.venv", *sys.argv[1:]])
    here = ".".join(map(str, sys.version_info[:2]))
    fail(
        f"python3 is {here}, and Airflow needs 3.{OLDEST[1]} to 3.{NEWEST[1]}; "
        "none was found on PATH.\n  With one elsewhere:  make PYTHON=/path/to/python3.12 ..."
    )


def digest(files: Sequence[Path]) -> str:
    """Hash the contents of the files."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def read_stamp(environment: Environment) -> dict[str, object]:
    """Read what is known to be installed; nothing is when the environment was moved or copied here."""
    try:
        stamp = json.loads(environment.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and stamp.get("path") == str(environment.path) else {}


def extras_of(stamp: dict[str, object]) -> set[str]:
    """Name the extras of a stamp."""
    extras = stamp.get("extras")
    return {str(extra) for extra in extras} if isinstance(extras, list) else set()


def run(command: Sequence[str | Path]) -> tuple[bool, str]:
    """Run a command in the checkout, with nothing to read; whether it succeeded, and all that it said."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=ROOT,
            check=False,
            env=child_environment(),
        )
    except OSError as problem:
        return False, str(problem)
    return done.returncode == 0, done.stdout


def usable(environment: Environment) -> bool:
    """Whether the environment's interpreter starts, is of this Python's version and has pip."""
    check = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    good, said = run([environment.python, "-c", check])
    return good and said.strip() == "{}.{}".format(*sys.version_info[:2])


def create(environment: Environment) -> None:
    """Make an empty environment with pip in it.

    Where Python lacks ensurepip (Debian without python3-venv), the system's own pip puts pip in.
    """
    new: list[str | Path] = [sys.executable, "-m", "venv", "--clear"]
    made, said = run([*new, environment.path])
    if made and usable(environment):
        return
    run([*new, "--without-pip", environment.path])
    _, pip_said = run([sys.executable, "-m", "pip", "--python", environment.python, "install", "pip"])
    if not usable(environment):
        shutil.rmtree(environment.path, ignore_errors=True)
        fail(f"{NO_VENV}\n\n{said}\n{pip_said}")


def pip(environment: Environment, *arguments: str | Path) -> None:
    """Install without dependencies; ends the program with what pip said when it fails."""
    quiet = ("--no-input", "--no-compile", "--disable-pip-version-check")
    good, said = run([environment.python, "-m", "pip", "install", *quiet, "--no-deps", *arguments])
    environment.log.write_text(said, encoding="utf-8")
    if good:
        return
    what = "pip failed"
    if "DO NOT MATCH THE HASHES" in said:
        what = f"a package is not the one that was tested: its hash is not in {environment.locks.name}/"
    fail(f"{what}; all that pip said is in {environment.log}\n\n{tail(environment.log)}")


def install(environment: Environment, extras: set[str]) -> None:
    """Install the locked packages and the project, and compile everything to bytecode.

    Only wheels: building a package would run whatever version of its build tools is the newest. pip compiles
    one file after the other; compileall uses every core. Without bytecode each Airflow process would compile
    about a thousand modules at its start.
    """
    files = [argument for path in environment.requirements(extras) for argument in ("--requirement", path)]
    pip(environment, "--require-hashes", "--only-binary", ":all:", *files)
    if environment.project:
        pip(environment, "--no-build-isolation", "--editable", environment.project)
    folders = [*sorted((environment.path / "lib").glob("python*/site-packages")), *environment.compiled]
    present = [folder for folder in folders if folder.is_dir()]
    # Some packages ship files for other Python versions, which do not compile here and are never imported.
    run([environment.python, "-m", "compileall", "-qq", "-j", "0", *present])


def ensure(environment: Environment, extras: set[str], label: str) -> None:
    """Bring the environment to the wanted state; does nothing when it is there already."""
    stamp = read_stamp(environment)
    installed = extras_of(stamp)
    good = usable(environment)
    wanted = extras | installed if good else extras
    inputs = digest(environment.inputs(wanted))
    if good and stamp.get("inputs") == inputs and extras <= installed:
        return
    must_be_writable(environment.path.parent, "The environment is made there: let this user write to it.")
    with step(
        f"{'Completing' if good else 'Making'} {environment.path.name} with {label}: takes about a minute"
    ):
        if not good:
            create(environment)
        environment.stamp.unlink(missing_ok=True)
        install(environment, wanted)
        content = {"path": str(environment.path), "inputs": inputs, "extras": sorted(wanted)}
        environment.stamp.write_text(json.dumps(content), encoding="utf-8")


def main(extras: Sequence[str]) -> None:
    """Make `.venv` with the provider and the named extras."""
    choose_python()
    ensure(PROVIDER, set(extras), "Airflow and the provider" + (f" ({', '.join(extras)})" if extras else ""))


if __name__ == "__main__":
    main(sys.argv[1:])
