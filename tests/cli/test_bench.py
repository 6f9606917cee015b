"""``bench``: what it takes, and how it shows what it found."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from ray_router.bench.catalogue import MEASURES, Measure
from ray_router.bench.measure import Figure, Report, Skipped
from ray_router.bench.stage import Stage
from ray_router.bench.targets import Target
from ray_router.cli import benchmarks, extras
from ray_router.cli.bench_view import report_view
from ray_router.errors import DeadlineExceededError

from .commands import run

SMALL = ("--scale", 1e-6, "--rounds", 2)


def test_the_measures_are_listed() -> None:
    """Each with what it is about."""
    shown = run("bench", "--list").output
    assert all(name in shown and measure.about in shown for name, measure in MEASURES.items())
    assert run("bench", "--list", "--json").json["measures"].keys() == MEASURES.keys()


def test_a_measure_that_needs_no_ray_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """One object, with the machine, and every figure with its rounds."""
    monkeypatch.setattr(benchmarks, "joined_or_started", None)
    ran = run("bench", "hot-keys", "expiry-storm", *SMALL, "--json")
    assert ran.exit_code == 0, ran.errors
    found = ran.json
    assert [each["measure"] for each in found["measures"]] == ["hot-keys", "expiry-storm"]
    assert (found["rounds"], found["scale"]) == (2, 1e-6)
    assert found["machine"]["cores"] >= 1
    resolve = found["measures"][1]["figures"][1]
    assert (resolve["name"], resolve["unit"], resolve["at"]) == ("resolve, longest", "ms", None)
    assert resolve["least"] == min(resolve["rounds"])
    assert resolve["greatest"] == max(resolve["rounds"])
    assert resolve["target"] == {"bound": 10, "aim": 3, "less_is_better": True}


def test_a_measure_on_ray_is_shown_and_drawn(ray_cluster: str, namespace: str, tmp_path: Path) -> None:
    """With the machine above it; nothing is left in the cluster."""
    import ray

    picture = tmp_path / "curves.svg"
    ran = run("bench", "mixed", *SMALL, "--namespace", namespace, "--plot", picture)
    assert ran.exit_code == 0, ran.errors
    assert "2 rounds at scale 1e-06; load average before: " in ran.output
    assert "resolve and set over actor with a dict" in ran.output
    assert "The curves are drawn in" in ran.errors
    assert picture.stat().st_size > 10_000
    named = ray.util.list_named_actors(all_namespaces=True)
    assert [each for each in named if each["namespace"] == namespace] == []


def test_a_measure_that_fails_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown with why."""

    def failing(stage: Stage) -> Report:
        raise DeadlineExceededError("partition 0: no answer within 2 s")

    measure = Measure(failing, "nothing", on_ray=False, beside_redis=False)
    monkeypatch.setitem(MEASURES, "single", measure)
    found = run("bench", "single", "hot-keys", *SMALL, "--json").json["measures"]
    assert found[0]["skipped"] == [{"what": "all of it", "reason": "partition 0: no answer within 2 s"}]
    assert (found[0]["figures"], len(found[1]["figures"])) == ([], 4)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["speed"], "'speed' is none of single, concurrency"),
        (["hot-keys", "--rounds", 0], "--rounds"),
        (["hot-keys", "--plot", "curves.txt"], "must end in .svg or .png or .pdf"),
        (["hot-keys", "--plot", "/no/such/folder/curves.svg"], "in a folder that is there"),
    ],
)
def test_bad_usage_is_said_before_anything_is_measured(arguments: list[object], problem: str) -> None:
    """With exit code 2."""
    ran = run("bench", *arguments)
    assert (ran.exit_code, ran.output) == (2, "")
    assert problem in " ".join(ran.errors.replace("│", " ").split())


@pytest.mark.parametrize(("missing", "options"), [("psutil", []), ("matplotlib", ["--plot", "curves.svg"])])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, missing: str, options: list[str]) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == missing else name)
    ran = run("bench", "hot-keys", *options)
    assert ran.exit_code == 2
    assert f"measuring needs {missing!r}, which is not installed" in ran.errors
    assert "pip install 'ray-router[bench]'" in ran.errors


ALONG = Report(
    "batch",
    "how many?",
    (
        *(Figure("ours", "1/s", (size * 100.0, size * 200.0), size) for size in (10, 1_000)),
        Figure("ours over theirs", "ratio", (0.123456,), 10),
        Figure("ours over theirs", "ratio", (5.0,), 1_000, Target(4, 10)),
    ),
    "keys in a call",
    (Skipped("Redis", "it is not installed"),),
)


@pytest.mark.parametrize("width", [132, 80])
def test_figures_along_an_axis_are_side_by_side_where_they_fit(width: int) -> None:
    """Else one below the other; with targets, and with what is missing."""
    console = Console(width=width)
    with console.capture() as captured:
        console.print(report_view(ALONG, console))
    text = captured.get()
    assert ("greatest" in text) == (width == 80)  # the title of a column of its own
    assert "0.123" in text
    assert "1,500" in text
    assert "150,000" in text
    assert "meant to be" in text
    assert ("1,000: >= 4, aim 10" if width == 132 else ">= 4, aim 10") in text
    assert "without Redis: it is not installed" in text
