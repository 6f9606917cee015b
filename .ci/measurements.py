"""Write what ``ray-router bench`` measured into the README, between its two marks.

Give it the files that ``ray-router bench --json`` wrote. Every figure that is meant to come to something
stands there, whether it does or not.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from ray_router.bench.targets import Target

_README = Path(__file__).parents[1] / "README.md"
_MARKS = re.compile(r"(<!-- measurements -->\n).*?(<!-- /measurements -->)", re.DOTALL)
_HEADER = "| measure | figure | median | least to greatest | meant to be |\n|---|---|---|---|---|"
_UNITS = {"ratio": "", "1/s": " /s", "points": " points", "B": " B"}


def main(files: list[str]) -> int:
    """Rewrite the README; the exit code."""
    runs = [json.loads(Path(file).read_text(encoding="utf-8")) for file in files]
    rows = [
        _row(measure["measure"], figure)
        for run in runs
        for measure in run["measures"]
        for figure in measure["figures"]
        if figure["target"] is not None
    ]
    text = "\n".join([_machine(runs[0]), "", _HEADER, *rows, ""])
    page, found = _MARKS.subn(
        lambda marks: f"{marks[1]}{text}{marks[2]}", _README.read_text(encoding="utf-8")
    )
    if not found:
        print(f"{_README.name} has no marks for measurements", file=sys.stderr)
        return 1
    _README.write_text(page, encoding="utf-8")
    return 0


def _machine(run: dict[str, Any]) -> str:
    machine = run["machine"]
    versions = f"Python {machine['python']}, Ray {machine['ray']}, redis-server {machine['redis_server']}"
    load = machine["load"]
    busy = "" if load is None else f" At the beginning {load[0]:.1f} processes wanted a core."
    return (
        f"{machine['cores']} shared cores of an {machine['cpu']}; {versions}; {run['rounds']} rounds.{busy}"
    )


def _row(measure: str, figure: dict[str, Any]) -> str:
    target = Target(**figure["target"])
    unit = _UNITS.get(figure["unit"], f" {figure['unit']}")
    held = target.bound is None or (
        figure["median"] <= target.bound if target.less_is_better else figure["median"] >= target.bound
    )
    at = "" if figure["at"] is None else f", {_number(figure['at'])}"
    median = _number(figure["median"]) + unit
    cells = (
        f"`{measure}`",
        figure["name"] + at,
        f"**{median}**" if held else f"{median}, missed",
        f"{_number(figure['least'])} to {_number(figure['greatest'])}",
        str(target),
    )
    return f"| {' | '.join(cells)} |"


def _number(value: Any) -> str:
    """Three digits that count; thousands apart."""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
