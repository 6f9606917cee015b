"""The package as it would be if nobody could watch it: to measure what it costs that somebody could.

It is made from the source, so that it is never out of date: every place that asks whether somebody watches
is replaced by what it does when nobody does, and the result is imported under another name. What is left
differs by these looks alone.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

PACKAGE = "ray_router"
NAME = "ray_router_unwatchable"
CUT = (
    f"{PACKAGE}.core.partition",
    f"{PACKAGE}.handle.lane",
    f"{PACKAGE}.handle.router",
    f"{PACKAGE}.handle.scatter",
    f"{PACKAGE}.transport.shell",
)
"""The modules that ask."""

_LOOKS = {
    "self._watched": False,
    "self._resolved": False,
    "self._traced": False,
    "self._tell is not None": False,
    "carried is not None": False,
    "call is not None": False,
    "self._tell is None": True,
    "self._work is None": True,
    "call is None": True,
    "telemetry is None": True,
    "self._link.telemetry is None": True,
}
"""The questions, and their answers when nobody watches."""


def unwatchable() -> ModuleType:
    """That package, under the name ``NAME``."""
    if NAME not in sys.modules:
        finder = _Finder()
        sys.meta_path.insert(0, finder)
        try:
            importlib.import_module(NAME)
        finally:
            sys.meta_path.remove(finder)
    return sys.modules[NAME]


def tree_of(module: str) -> ast.Module:
    """A module of ours as it is in that package.

    Raises:
        ValueError: it should have asked whether somebody watches, and did not.
    """
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"), spec.origin)
    if module in CUT:
        cutter = _Cutter()
        cutter.visit(tree)  # a module stays, and is changed
        if not cutter.cuts:
            raise ValueError(f"{module} does not ask whether somebody watches any more")
    _Renamer().visit(tree)
    return ast.fix_missing_locations(tree)


class _Cutter(ast.NodeTransformer):
    """Answers every look."""

    def __init__(self) -> None:
        self.cuts = 0

    def visit_If(self, node: ast.If) -> object:
        self.generic_visit(node)
        answer = self._answer(node.test)
        if answer is None:
            return node
        return (node.body if answer else node.orelse) or ast.Pass()

    def visit_IfExp(self, node: ast.IfExp) -> object:
        self.generic_visit(node)
        answer = self._answer(node.test)
        return node if answer is None else node.body if answer else node.orelse

    def visit_BoolOp(self, node: ast.BoolOp) -> object:
        self.generic_visit(node)
        left = [each for each in node.values if self._answer(each) is not isinstance(node.op, ast.And)]
        return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)

    def _answer(self, test: ast.expr) -> bool | None:
        answer = _LOOKS.get(ast.unparse(test))
        self.cuts += answer is not None
        return answer


class _Renamer(ast.NodeTransformer):
    """Has a module import its like from the package that it is in."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        node.module = _renamed(node.module or "")
        return node

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for each in node.names:
            each.name = _renamed(each.name)
        return node


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != NAME:
            return None
        original = PACKAGE + fullname.removeprefix(NAME)
        found = find_spec(original)
        if found is None:
            return None
        is_package = found.submodule_search_locations is not None
        return spec_from_loader(fullname, _Source(original), is_package=is_package)


class _Source(Loader):
    def __init__(self, original: str) -> None:
        self._original = original

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(tree_of(self._original), module.__name__, "exec"), vars(module))  # nosec B102: our own source


def _renamed(module: str) -> str:
    first, dot, rest = module.partition(".")
    return f"{NAME}{dot}{rest}" if first == PACKAGE else module
