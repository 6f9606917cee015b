"""Namespaces for what would meet others' Ray: of processes, networks and mounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cli.commands import own_environment

from .files import REPOSITORY

NAMESPACES = ("unshare", "--fork", "--pid", "--net", "--mount", "--kill-child", "--mount-proc")


def missing() -> str | None:
    """Why this machine cannot do it."""
    if shutil.which("unshare") is None:
        return "unshare is not installed (Debian: apt-get install util-linux)"
    tried = subprocess.run(
        [*NAMESPACES, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    return "this user may make no namespaces" if tried.returncode else None


def others() -> set[str]:
    """The raylets of this machine, by process and start."""
    listed = subprocess.run(
        ["ps", "-C", "raylet", "-o", "pid=,lstart="], capture_output=True, text=True, check=False
    )
    return set(listed.stdout.splitlines())


def run_apart(script: str, home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder in namespaces of its own, by this interpreter, with another home."""
    tests = REPOSITORY / "tests"
    environment = own_environment(
        HOME=str(home),
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH=f"{REPOSITORY}{os.pathsep}{tests}",
        **variables,
    )
    environment.pop("RAY_TMPDIR", None)
    return subprocess.run(
        [*NAMESPACES, sys.executable, str(tests / "cluster" / script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
