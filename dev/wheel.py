"""`make wheel`: build the wheel, install it in an environment of its own, see that Airflow finds it all."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from dev.console import fail, say, step
from dev.constraints import CONSTRAINTS
from dev.settings import PYTHON
from dev.venv import ROOT, Environment, child_environment, create

DIST = ROOT / "dist"
PROGRAM = """
from pathlib import Path
import quantconnect_provider
from airflow.plugins_manager import get_plugin_info
from airflow.providers_manager import ProvidersManager
from quantconnect_provider.sandbox import load_scenario

manager = ProvidersManager()
assert "airflow-provider-quantconnect" in manager.providers, sorted(manager.providers)
assert {"quantconnect", "quantconnect_brokerage"} <= set(manager.hooks), sorted(manager.hooks)
assert "quantconnect" in [plugin["name"] for plugin in get_plugin_info()], get_plugin_info()
assert load_scenario(None).projects
package = Path(quantconnect_provider.__file__).parent
assert "site-packages" in package.parts, package
assert (package / "py.typed").is_file()
assert list((package / "store" / "migrations").rglob("*.py")), "no migrations"
for name in ("index.html", "app.js", "vendor/uplot/uPlot.esm.js", "vendor/uplot/LICENSE"):
    assert (package / "ui" / "static" / name).is_file(), name
"""


def run(command: list[str | Path], folder: Path) -> str:
    """Run a command in a folder; ends the program with what it said when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**child_environment(), "AIRFLOW_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command[:4]))} ... failed:\n\n{done.stdout[-4000:]}")
    return done.stdout


def build(folder: Path) -> Path:
    """Build the wheel, in place of any older one; `folder` is for what is needed only meanwhile."""
    for old in DIST.glob("airflow_provider_quantconnect-*.whl"):
        old.unlink()
    with step("Building the wheel"):
        run([PYTHON, "-m", "build", "--wheel", "--no-isolation", "--outdir", DIST, ROOT], folder)
    (wheel,) = DIST.glob("airflow_provider_quantconnect-*.whl")
    return wheel


def main() -> None:
    """Build, install, look."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wheel = build(folder)
        fresh = Environment(folder / "venv", base="base")
        with step(f"Installing {wheel.name} with constraints.txt, as into any Airflow"):
            create(fresh)
            pip = ["-m", "pip", "install", "--quiet", "--no-input", f"--constraint={CONSTRAINTS}"]
            run([fresh.python, *pip, wheel], folder)
        with step("Asking the installed Airflow"):
            run([fresh.python, "-c", PROGRAM], folder)
            listed = run([fresh.path / "bin" / "airflow", "providers", "list"], folder)
        lines = [line for line in listed.splitlines() if line.startswith("airflow-provider-quantconnect")]
        if not lines:
            fail(f"`airflow providers list` does not name the provider:\n\n{listed}")
        say(f"{lines[0].strip()}\n\nThe wheel: {wheel.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
