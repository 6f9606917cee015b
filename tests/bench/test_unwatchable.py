"""The package without telemetry: it does the same, and asks nowhere whether somebody watches."""

from __future__ import annotations

import ast
import importlib
import inspect

import pytest

from ray_router import Route, RouterConfig
from ray_router.bench import unwatchable as making
from ray_router.bench.unwatchable import CUT, NAME, tree_of, unwatchable
from ray_router.testing import local_router

KEYS = ["telegram:bot:a", "telegram:bot:b", "telegram:bot:b:thread"]


def test_it_answers_the_same() -> None:
    """With classes of its own, all of which come from there."""
    bare = unwatchable()
    assert bare is unwatchable()
    assert bare.RouterHandle.__module__.startswith(NAME)
    config = RouterConfig(partitions=2)
    theirs = bare.RouterHandle(bare.LocalTransport(bare.RouterConfig(**config.model_dump())))
    ours = local_router(config)
    theirs.set(KEYS[1], bare.Route("1")).result()
    ours.set(KEYS[1], Route("1")).result()
    told = [
        [(answer.source.value, str(answer.key)) for answer in router.resolve_many(KEYS).result()]
        for router in (ours, theirs)
    ]
    assert told[0] == told[1]
    assert theirs.stats().result().traffic.resolves == 3


@pytest.mark.parametrize("module", CUT)
def test_nothing_asks_whether_somebody_watches(module: str) -> None:
    """Every such question of the source has been answered, and none is left."""
    source = ast.parse(inspect.getsource(importlib.import_module(module)))
    asked, left = (
        {ast.unparse(each.test) for each in ast.walk(tree) if isinstance(each, ast.If | ast.IfExp)}
        for tree in (source, tree_of(module))
    )
    assert not left & set(making._LOOKS)
    assert asked - left


def test_a_module_that_does_not_ask_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the source be written otherwise one day, the measure does not go on as if nothing were."""
    monkeypatch.setattr(making, "CUT", ("ray_router.core.calendar",))
    with pytest.raises(ValueError, match=r"core\.calendar does not ask"):
        tree_of("ray_router.core.calendar")
