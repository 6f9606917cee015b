"""The Python of the README runs as written, and prints what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cli.commands import own_environment

from .page import blocks

SAID = re.compile(r"^ *(?:print|show)\(.*\)  # (.+)$", re.MULTILINE)


def program() -> str:
    """All blocks as one program, each on its lines of the page, where a traceback will send its reader."""
    lines: list[str] = []
    for block in blocks("python"):
        lines += [""] * (block.line - 1 - len(lines)) + block.code.splitlines()
    return "\n".join(lines) + "\n"


def test_the_page_runs_from_top_to_bottom(ray_cluster: str, tmp_path: Path) -> None:
    """As one program, on a cluster that is there; each line that prints has what it prints beside it."""
    code = program()
    path = tmp_path / "README.py"
    path.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)],
        env=own_environment(RAY_ADDRESS=ray_cluster),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    expected = SAID.findall(code)
    assert len(expected) > 10
    assert done.stdout.splitlines() == expected
