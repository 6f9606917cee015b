"""Draw the pictures of the README: what ``demo`` and ``top`` write to a terminal, as SVG.

Run with the package and its command line installed, from anywhere. The commands run as written, and what
they write is drawn as it is; ``top`` looks at a router that made-up traffic is replayed through meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import ray
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

import ray_router as rr
from ray_router.workload import SyntheticTraffic

_PICTURES = Path(__file__).parents[1] / ".github" / "pictures"
_WIDTH = 128
_NAME = "chat"


def main() -> None:
    """Draw both."""
    _draw("ray-router demo", _written("ray-router", "demo"))
    ray.init(include_dashboard=False, num_cpus=2)
    rr.deploy(rr.RouterConfig(name=_NAME))
    os.environ["RAY_ADDRESS"] = ray.get_runtime_context().gcs_address
    with TemporaryDirectory() as folder:
        log = Path(folder) / "traffic.jsonl"
        _write_log(log, 200_000)
        feed = ("ray-router", "replay", str(log), "--clock", "wall", "--name", _NAME, "--json")
        with subprocess.Popen(feed, stdout=subprocess.DEVNULL) as replay:
            top = ("ray-router", "top", "--once", "--interval", "5", "--name", _NAME)
            _draw(" ".join(top[:2]), _written(*top))
            replay.terminate()
    rr.shutdown(_NAME)
    ray.shutdown()


def _write_log(log: Path, messages: int) -> None:
    """So much made-up traffic as a chat log."""
    with log.open("w", encoding="utf-8") as lines:
        for event in SyntheticTraffic(messages=messages):
            key = event.key if isinstance(event.key, rr.SessionKey) else rr.SessionKey.parse(event.key)
            parts = {"channel": key.channel, "instance": key.instance, "room": key.room, "thread": key.thread}
            lines.write(json.dumps({"ts": event.at, **parts}) + "\n")


def _written(*command: str) -> str:
    """What a command writes to a terminal of this width."""
    terminal = {"FORCE_COLOR": "1", "COLUMNS": str(_WIDTH), "TERM": "xterm-256color"}
    done = subprocess.run(command, env=os.environ | terminal, text=True, stdout=subprocess.PIPE, check=True)
    return done.stdout


def _draw(title: str, written: str) -> None:
    console = Console(record=True, width=_WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(written.strip("\n")), end="\n\n")  # the last line has something below it
    name = title.rpartition(" ")[2]
    picture = console.export_svg(title=title, theme=DIMMED_MONOKAI, unique_id=name)
    (_PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
