"""Namespaces for what would meet others' Ray: of processes, networks and mounts."""

from __future__ import annotations

import shutil
import subprocess

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
