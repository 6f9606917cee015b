"""``Machine``: what figures were taken on; absolute ones mean nothing elsewhere."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def version_of(package: str) -> str | None:
    """The version of an installed package; None when it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def resident_bytes() -> int:
    """This process's resident memory, in bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def _cpu() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _memory_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _load() -> tuple[float, float, float] | None:
    return os.getloadavg() if hasattr(os, "getloadavg") else None


@dataclass(frozen=True)
class Machine:
    """This machine, and the versions of what is measured on it.

    ``load``: processes that want a core, on average over the last 1, 5 and 15 minutes. ``redis_server`` is
    for whoever starts one to say.
    """

    system: str = field(default_factory=platform.platform)
    cpu: str = field(default_factory=_cpu)
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    memory_bytes: int = field(default_factory=_memory_bytes)
    load: tuple[float, float, float] | None = field(default_factory=_load)
    python: str = field(default_factory=platform.python_version)
    ray: str | None = field(default_factory=lambda: version_of("ray"))
    redis_py: str | None = field(default_factory=lambda: version_of("redis"))
    hiredis: str | None = field(default_factory=lambda: version_of("hiredis"))
    cachetools: str | None = field(default_factory=lambda: version_of("cachetools"))
    redis_server: str | None = None
