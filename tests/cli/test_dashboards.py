"""``dashboard``: the page of a router on a real Ray, until it is stopped, and what keeps it from starting."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")

from ray_router import Route, RouterConfig, deploy, shutdown

from .commands import own_environment, run, serving


def test_what_can_be_wrong_costs_no_ray(tmp_path: Path) -> None:
    """The token's file and the port are looked at first."""
    ran = run("dashboard", "--token-file", tmp_path / "none")
    assert (ran.exit_code, ran.output) == (2, "")
    assert "none cannot be read: No such file or directory" in ran.errors
    short = tmp_path / "short"
    short.write_text("guess me\n")
    ran = run("dashboard", "--token-file", short)
    assert (ran.exit_code, ran.output) == (2, "")
    assert "short has 8 characters, of at least 16" in ran.errors
    short.write_bytes(b"\xff" * 20)
    assert "cannot be read: it is not text" in run("dashboard", "--token-file", short).errors
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("dashboard", "--port", taken.getsockname()[1])
    assert (ran.exit_code, ran.output) == (2, "")
    assert "Address already in use" in ran.errors
    assert "Choose another with --port" in ran.errors


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(missing: str) -> None:
    """With the command that installs it."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None; import ray_router.cli as it\n"
        "sys.argv = ['ray-router', 'dashboard']\n"
        "it.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=own_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"ray-router: the page needs {missing!r}, which is not installed\n"
        "Install it with: pip install 'ray-router[dashboard]'\n"
    )


def test_the_page_of_a_router(ray_cluster: str, namespace: str) -> None:
    """The token in its address lets in, and is said nowhere else; Ctrl-C ends it, the router goes on."""
    import httpx

    router = deploy(RouterConfig(name="chat", partitions=1), namespace=namespace)
    router.set("a:b:c", Route("-100")).result()
    arguments = ("dashboard", "--port", "0", "--name", "chat", "--namespace", namespace, "--json")
    with serving(*arguments, "--address", ray_cluster) as (process, said):
        assert (said["router"], said["namespace"]) == ("chat", namespace)
        where = urlsplit(said["url"])
        token = where.fragment.removeprefix("token=")
        with httpx.Client(base_url=f"http://{where.netloc}") as http:
            assert "Why did it go there?" in http.get("/").text
            assert http.get("/api/state").status_code == 401
            http.headers["Authorization"] = f"Bearer {token}"
            state = http.get("/api/state").json()
            assert (state["router"]["name"], state["router"]["live"]) == ("chat", 1)
            assert state["partitions"][0]["standing"] == "up"
            asked = http.post("/api/explain", json={"key": "a:b:c:d"}).json()
            assert (asked["route"], asked["source"]) == ("-100", "scope")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate()
    assert (process.returncode, rest) == (130, "")
    assert "Traceback" not in errors
    assert token not in errors
    assert router.resolve("a:b:c").result().require() == Route("-100")
    shutdown("chat", namespace=namespace)
