"""The wheel has what it should, and works where the source tree is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import ray_router

from .conftest import REPOSITORY, Released

USERS_PROGRAM = """
import ray_router as rr
from ray_router.testing import local_router

router = local_router()
router.set("tg:bot:room", rr.Route("-100123")).result()
answer: rr.Resolution = router.resolve("tg:bot:room:thread").result()
wrong: int = answer.require().external_room_id
"""


def names_in(wheel: Path) -> set[str]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def environment() -> dict[str, str]:
    """No path to the source tree, and no cluster."""
    hidden = ("PYTHONPATH", "RAY_ADDRESS", "PYTEST_ADDOPTS")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def run(*command: object, cwd: Path) -> str:
    """What a command says, somewhere else."""
    done = subprocess.run(
        [str(each) for each in command],
        env=environment(),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's folder of programs, with the wheel installed, and what it needs borrowed from here.

    A path in a ``.pth`` file is searched for modules, but its own such files are not read: an editable
    install of the source tree is not seen by way of it.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index")
    run(*pip, released.wheel, cwd=folder)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    Path(site, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def test_the_wheel_has_every_module_and_nothing_else(released: Released) -> None:
    """The package as it is in the tree, with its marker of types, and no tests."""
    ours = {name for name in names_in(released.wheel) if ".dist-info/" not in name}
    tree = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "ray_router").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours == tree
    assert "ray_router/py.typed" in ours


def test_the_wheel_says_what_it_is(released: Released) -> None:
    """Its version, from one place; its licence, and the text of it; what reads this page."""
    with zipfile.ZipFile(released.wheel) as archive:
        inner = [name for name in archive.namelist() if ".dist-info/" in name]
        names = {name.partition(".dist-info/")[2]: name for name in inner}
        said = Parser().parsestr(archive.read(names["METADATA"]).decode())
        assert archive.read(names["licenses/LICENSE"]) == (REPOSITORY / "LICENSE").read_bytes()
    assert said["Version"] == ray_router.__version__
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in said.get_all("Classifier", [])


def test_the_version_stands_in_one_place() -> None:
    """So that a release changes one line."""
    version = f'"{ray_router.__version__}"'
    files = [*(REPOSITORY / "ray_router").rglob("*.py"), REPOSITORY / "pyproject.toml"]
    found = [path.name for path in files if version in path.read_text(encoding="utf-8")]
    assert found == ["__init__.py"]


def test_the_sdist_has_what_the_tests_need(released: Released) -> None:
    """The tree, but for what Git alone needs."""
    with tarfile.open(released.sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    folders = {"ray_router", "tests", "notebooks", "cluster", ".ci"}
    assert {*folders, "README.md", "LICENSE", "pyproject.toml"} <= tops


def test_an_installed_wheel_works(installed: Path, tmp_path: Path) -> None:
    """Its own code runs, not that of the tree: imports, the command and the module, and a router."""
    where = run(installed / "python", "-c", "import ray_router; print(ray_router.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    version = f"ray-router {ray_router.__version__}\n"
    assert run(installed / "ray-router", "--version", cwd=tmp_path) == version
    assert run(installed / "python", "-m", "ray_router", "--version", cwd=tmp_path) == version
    (tmp_path / "trace.csv").write_text("timestamp,key,size\n1,a,1\n2,a,1\n", encoding="utf-8")
    simulated = run(installed / "ray-router", "simulate", "trace.csv", "--json", cwd=tmp_path)
    assert json.loads(simulated)["hit_ratio"] == 0.5


@pytest.mark.chaos
def test_a_checker_sees_the_types_of_an_installed_wheel(installed: Path, tmp_path: Path) -> None:
    """A user's program is checked against them, and its one mistake found."""
    (tmp_path / "program.py").write_text(USERS_PROGRAM, encoding="utf-8")
    python = installed / "python"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", str(python), "--strict", "program.py"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert "program.py:8: error: Incompatible types in assignment" in errors[0]


@pytest.mark.chaos
def test_a_wheel_brings_all_that_it_needs(released: Released, tmp_path: Path) -> None:
    """From the index, into an environment with nothing else: the demo runs."""
    venv.create(tmp_path / "clean", with_pip=True, symlinks=True)
    programs = tmp_path / "clean" / "bin"
    run(programs / "pip", "install", "--quiet", f"{released.wheel}[cli]", cwd=tmp_path)
    ran = run(programs / "ray-router", "demo", "--json", cwd=tmp_path)
    assert json.loads(ran)["events"] > 0
