"""A library's output goes to a file for a while; ours goes on as before."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from dev.venv import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import subprocess, sys
from pathlib import Path
from dev.quiet import output_to
print("before")
with output_to(Path(sys.argv[1])):
    print("inside")
    subprocess.run(["echo", "child"], check=True)
    print("complaint", file=sys.stderr)
print("after")
"""


def test_output_of_the_block_and_its_children_goes_to_the_file(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log"

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, log], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("before\nafter\n", "")
    assert sorted(log.read_text().split()) == ["child", "complaint", "inside"]
