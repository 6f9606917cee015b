"""Who is let in, what a browser is told, and that nothing comes from elsewhere."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")

import ray_router.dashboard as package
from ray_router.dashboard import PortTakenError, listening

from .scene import TOKEN, Scene

FILES = sorted((Path(package.__file__).parent / "static").iterdir())


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", "Bearer guess", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "state"), ("POST", "explain"), ("GET", "other")])
async def test_a_token_is_needed(method: str, path: str, shown: str) -> None:
    """And asked for before anything is read, or looked at."""
    scene = Scene()
    async with scene.client(Authorization=shown) as http:
        answer = await http.request(method, f"/api/{path}", content=b"{")
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert scene.transport.asked == {}


async def test_the_page_itself_goes_to_everybody() -> None:
    """There is nothing in it that would tell a stranger of the router."""
    scene = Scene()
    async with scene.client(accept="*/*") as http:
        page = await http.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        named = re.findall(r'(?:src|href)="([^#"]+)"', page.text)
        assert {f"static/{each.name}" for each in FILES} >= set(named) > {"static/page.js"}
        for name in named:
            assert (await http.get(f"/{name}")).status_code == 200
        assert (await http.get("/static/../app.py")).status_code == 404
    assert scene.transport.asked == {}


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/none.js", "/api/state"])
async def test_a_browser_is_told_to_do_no_more_than_it_must(path: str) -> None:
    """No script but the page's own, no frame around it, nothing sent on; and what is told is not kept."""
    async with Scene().client() as http:
        headers = (await http.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] == ("no-store" if path.startswith("/api") else "no-cache")


@pytest.mark.parametrize("file", FILES, ids=lambda each: str(each.name))
def test_nothing_comes_from_elsewhere(file: Path) -> None:
    """No address in any file but the names of XML's vocabularies; no style and no script within the page."""
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "//" not in re.sub(r"(^|\s)// .*$", "", text, flags=re.MULTILINE)
    assert not re.search(r" style=| on\w+=|<style|<script>|innerHTML|eval\(", text)


async def test_a_question_that_is_too_long_is_not_read() -> None:
    """Nor is more than the limit of it held."""
    async with Scene().client() as http:
        answer = await http.post("/api/explain", content=b"x" * 300_000)
    assert answer.status_code == 413


def test_a_port_that_is_taken() -> None:
    """Is said, with the way out; so is an address that is not this machine's."""
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(
            PortTakenError, match=f"cannot listen at 127.0.0.1:{port}: Address already in use"
        ):
            listening("127.0.0.1", port)
    with pytest.raises(PortTakenError, match=r"cannot listen at no\.such\.host\.invalid:0"):
        listening("no.such.host.invalid", 0)
    if socket.has_ipv6:
        with listening("::1", 0) as sixth:
            assert sixth.family is socket.AF_INET6
