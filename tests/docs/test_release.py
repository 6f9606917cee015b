"""What the README says of the package is what the package says of itself."""

from __future__ import annotations

import re
from importlib.metadata import metadata

import ray_router

from .page import README, anchors

PACKAGE = metadata("ray-router")
PAGE = README.read_text(encoding="utf-8")


def test_the_changelog_has_this_version() -> None:
    """Under a heading of its own."""
    assert any(each.startswith(ray_router.__version__.replace(".", "") + "-") for each in anchors())


def test_python_and_ray_are_those_that_are_required() -> None:
    """At least."""
    (python,) = re.findall(r"Python (\S+) and later", PAGE)
    (ray,) = re.findall(r"Ray (\S+) or later", PAGE)
    assert PACKAGE["Requires-Python"] == f">={python}"
    assert f"ray>={ray}" in PACKAGE.get_all("Requires-Dist", [])


def test_extras_are_the_packages() -> None:
    """Those that commands install."""
    named = set(re.findall(r"pip install .*'\.\[(\w+)\]'", PAGE))
    assert named == {"cli", "notebooks", "test"}
    assert named <= set(PACKAGE.get_all("Provides-Extra", []))
