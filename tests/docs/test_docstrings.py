"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import ray_router

PACKAGE = Path(ray_router.__file__).parent
LEFT_OUT = {
    "ray_router.runtime": "its calls need a cluster: the README has them, and runs",
    "ray_router.cli": "its examples are commands, which the tests of the README read",
}


def modules() -> list[str]:
    """Every module with an example in it."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module(name: str) -> None:
    """Each gives what stands below it."""
    reason = next((LEFT_OUT[each] for each in LEFT_OUT if f"{name}.".startswith(f"{each}.")), None)
    if reason is not None:
        pytest.skip(reason)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_examples() -> None:
    """So that an empty search does not pass for success."""
    assert "ray_router.model.key" in modules()
