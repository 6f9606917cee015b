"""Two machines that know nothing of each other: ``python launching.py FOLDER``, in namespaces of its own.

Carries out the launcher's commands on each, deploys a router, asks it from the other machine, and ends all of
it; says what it saw in JSON. The second machine is a process namespace within the first, so that the
launcher's ``ray stop`` there cannot meet the first one's Ray.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from cluster.files import LAUNCHER, document, runbook_commands

HEAD = "127.0.0.1"
KEY = "telegram:bot_1:room_9"
ANOTHER = ("unshare", "--fork", "--pid", "--mount", "--kill-child", "--mount-proc")
SIOCSIFFLAGS, UP = 0x8914, 0x41


def loopback() -> None:
    """Have a network of one's own: the loopback of a new namespace is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", UP))


def run(command: str) -> str:
    """Run a command as the launcher does; what it says on standard output."""
    if command.startswith("ray-router "):
        command = f"{shlex.quote(sys.executable)} -m ray_router.cli {command.partition(' ')[2]}"
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: exit code {done.returncode}")
    return done.stdout


def worker() -> None:
    """The second machine: starts its Ray, then carries out what it is told."""
    os.environ["RAY_HEAD_IP"] = HEAD  # as the launcher does
    for command in document(LAUNCHER / "local.yaml")["worker_start_ray_commands"]:
        run(command)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


def told(machine: subprocess.Popen[str], command: str | None = None) -> Any:
    """Have the second machine run a command; without one, what it says next."""
    assert machine.stdin is not None
    assert machine.stdout is not None
    if command is not None:
        print(json.dumps(command), file=machine.stdin, flush=True)
    line = machine.stdout.readline()
    if not line:
        raise SystemExit("the second machine has ended")
    return json.loads(line)


def nodes() -> int:
    """How many nodes live, in the head's eyes."""
    code = (
        "import ray; ray.init('auto', log_to_driver=False, logging_level='error');"
        "print(sum(node['Alive'] for node in ray.nodes()))"
    )
    return int(run(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"))


def head(folder: Path) -> dict[str, Any]:
    """The first machine; what was seen on both."""
    from ray.autoscaler._private.util import prepare_config

    loopback()
    Path("/tmp/ray").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/tmp/ray"], check=True)  # in this namespace alone
    config = document(LAUNCHER / "local.yaml")
    here = config | {"provider": {"type": "local", "head_ip": HEAD, "worker_ips": []}, "max_workers": 0}
    (folder / "ray_bootstrap_config.yaml").write_text(yaml.safe_dump(prepare_config(here)))
    run("ray get-auth-token --generate > /dev/null")
    for command in config["head_start_ray_commands"]:
        run(command)
    seen: dict[str, Any] = {}
    with subprocess.Popen(
        [*ANOTHER, sys.executable, __file__, "worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as machine:
        assert told(machine) == "ready"
        seen["nodes"] = nodes()
        (up,) = [command for command in runbook_commands("ray-router") if "--set" in command]
        seen["up"] = json.loads(run(f"{up} --json"))
        seen["set"] = json.loads(run(f"ray-router set {KEY} --room -100123 --json"))
        seen["resolve"] = json.loads(told(machine, f"ray-router resolve {KEY} --address {HEAD}:6379 --json"))
        seen["down"] = json.loads(told(machine, f"ray-router down --address {HEAD}:6379 --json"))
        told(machine, "ray stop")
        seen["nodes_left"] = nodes()
        assert machine.stdin is not None
        machine.stdin.close()
    run("ray stop")
    return seen


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker()
    else:
        said = head(Path(sys.argv[1]))
        print(json.dumps(said), flush=True)
