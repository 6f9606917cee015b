"""Each notebook runs from top to bottom in a kernel of its own, on a real Ray, and prints what it says."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
RAYS_OWN = "(raylet)"  # what Ray itself says of a process that died
SAID = re.compile(r"^(?:print|show)\(.*\)  # (.+)$", re.MULTILINE)


def read(path: Path) -> Any:
    """A notebook, which is one by its format's own rules."""
    formats: Any = nbformat  # its functions have no types
    notebook = formats.read(path, as_version=4)
    formats.validate(notebook)
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    """Its code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks() -> None:
    """So that an empty folder does not pass for success."""
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.stem))
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    """They would go stale, and hide what changed."""
    assert all((cell.outputs, cell.execution_count) == ([], None) for cell in code_cells(read(path)))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.stem))
def test_a_notebook_runs(
    path: Path, ray_cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an error, and each line that prints prints what stands beside it."""
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(path.parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    notebook = read(path)
    notebook.metadata.kernelspec.name = "python3"
    client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    for cell in code_cells(notebook):
        printed = "".join(each.text for each in cell.outputs if each.get("name") == "stdout")
        lines = [line for line in printed.splitlines() if RAYS_OWN not in line]
        assert lines == SAID.findall(cell.source), cell.source
