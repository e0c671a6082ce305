"""`make audit`: bandit over the code, a search for secrets in git's files, known weaknesses of the packages.

The tools have an environment of their own, .venv-audit. Where no advisories can be had, the last check says
that it was not run, and the others still count.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from dev.console import fail, say
from dev.constraints import EXTRAS
from dev.venv import LOCKS, ROOT, Environment, child_environment, ensure

TOOLS = Environment(path=ROOT / ".venv-audit", base="audit")
SOURCES = ("plugins", "dags", "dev")
# B310: dev/ opens addresses of this machine only. B113 takes a dictionary named requests for the library.
SKIPPED = "B310,B113"
ALLOWED = ROOT / ".secrets.baseline"
# The word password stands in every other test and example; what has the form of a secret is found without it.
SCAN = (
    "scan",
    "--disable-plugin",
    "KeywordDetector",
    "--exclude-files",
    r"requirements/.*\.txt|\.secrets\.baseline",
)


def tool(*command: str) -> Any:
    """Run one of the tools, which all exit with 1 when they found something, and return its JSON."""
    done = subprocess.run(
        [TOOLS.path / "bin" / command[0], *command[1:]],
        cwd=ROOT,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1) or not done.stdout.strip():
        fail(f"{command[0]} ended with status {done.returncode}:\n\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


def weak_code() -> list[str]:
    """Return what bandit finds at medium severity or above; `make lint` has the rest, as ruff's rules S."""
    found = tool("bandit", "--quiet", "--recursive", "-ll", "--skip", SKIPPED, "--format", "json", *SOURCES)
    say(f"bandit           {found['metrics']['_totals']['loc']:,} lines, {len(found['results'])} findings")
    return [
        f"{each['filename']}:{each['line_number']}: {each['test_id']} {each['issue_text']}"
        for each in found["results"]
    ]


def places(results: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """Name each secret by its hash, with place and kind for people: an example may stand in many files."""
    return {
        each["hashed_secret"]: f"{name}:{each['line_number']}: {each['type']}"
        for name, found in results.items()
        for each in found
    }


def secrets() -> list[str]:
    """Return what looks like a secret in a file that git knows, and is not in .secrets.baseline."""
    found = places(tool("detect-secrets", *SCAN)["results"])
    allowed = places(json.loads(ALLOWED.read_text(encoding="utf-8"))["results"])
    new = [place for key, place in found.items() if key not in allowed]
    say(f"detect-secrets   {len(found)} that look like a secret, {len(new)} not known as an example")
    return new


def weak_packages() -> list[str]:
    """Return the locked packages of which a weakness is known, for this Python."""
    files = [f"--requirement={LOCKS / f'{name}.txt'}" for name in ("base", *EXTRAS)]
    packages = tool("pip-audit", "--disable-pip", "--require-hashes", "--format=json", *files)["dependencies"]
    audited = [each for each in packages if "skip_reason" not in each]
    weak = [
        f"{each['name']} {each['version']}: {weakness['id']}, fixed in {weakness['fix_versions']}"
        for each in audited
        for weakness in each["vulns"]
    ]
    if audited:
        say(f"pip-audit        {len(audited)} of {len(packages)} packages, {len(weak)} known weaknesses")
    else:
        say(f"pip-audit        NOT RUN: no advisory data for any of {len(packages)} packages from this index")
    return weak


def main() -> None:
    """Run all checks; ends with status 1 when one found something."""
    ensure(TOOLS, set(), "bandit, detect-secrets and pip-audit")
    found = [*weak_code(), *secrets(), *weak_packages()]
    if found:
        fail("\n  ".join(["to be corrected, or to be allowed with a reason:", *found]))


if __name__ == "__main__":
    main()
