"""The page in a real Chromium: wide and narrow, light and dark, while partitions die and come back."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest

pytest.importorskip("starlette", reason="the extra 'dashboard' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'dashboard' is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser, Page, expect, sync_playwright

from ray_router import Delivery, Route

from .scene import KEY, TOKEN, Scene, served

CHROMIUM = shutil.which("chromium")
LOOKING = Path(__file__).with_name("looking.js").read_text(encoding="utf-8")
TIMES_MS = 30_000
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
expect.set_options(timeout=TIMES_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all of this."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


class Seen:
    """A page that somebody opened, and whatever its console said."""

    def __init__(self, browser: Browser, width: int = 1_600) -> None:
        self.page: Page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        self.page.set_default_timeout(TIMES_MS)
        self.errors: list[str] = []
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def row(self, partition: int) -> Any:
        """A partition's row."""
        return self.page.get_by_role("row").nth(partition + 1)


@pytest.fixture
def scene() -> Scene:
    """A router with some traffic, and a session whose newest route failed."""
    made = Scene()
    elsewhere(prepared(made))
    return made


async def prepared(scene: Scene) -> None:
    """What a router at work holds."""
    await scene.talk()
    await scene.router.set(KEY, Route("-999"))
    await scene.router.report(KEY, Route("-999"), Delivery.PERMANENT)


def elsewhere(work: Coroutine[Any, Any, None]) -> None:
    """Carry something out in a thread of its own: this one drives the browser."""
    thread = threading.Thread(target=asyncio.run, args=(work,))
    thread.start()
    thread.join()


def test_wide_and_narrow_light_and_dark(browser: Browser, scene: Scene) -> None:
    """It fits, can be read, and explains a key step by step; the console has nothing to say."""
    with served(scene) as url:
        seen = Seen(browser)
        page = seen.page
        page.goto(f"{url}#token={TOKEN}")
        expect(page.locator("#pill")).to_have_text("● all 4 partitions are up")
        expect(page.locator("#rows tr")).to_have_count(4)
        assert TOKEN not in page.url
        scene.transport.kill(3)
        expect(seen.row(3)).to_contain_text("down")
        page.get_by_label("Fallbacks").fill("reception\n\nlobby")
        page.get_by_label("Session").fill(f"{KEY}:thread_3")
        page.keyboard.press("Enter")
        steps = page.locator(".steps > li")
        expect(steps).to_have_count(8)
        expect(page.locator(".goes")).to_contain_text("-1009")
        expect(steps.nth(4)).to_contain_text("a delivery along it failed, and it was not seen since")
        expect(steps.nth(5).locator(".candidate")).to_have_count(2)
        for width, scheme in itertools.product((1_600, 400), SCHEMES):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") == width, scheme
            assert page.evaluate(LOOKING) == [], (width, scheme)
        page.context.close()
    assert seen.errors == []


def test_it_moves_while_partitions_die_and_come_back(browser: Browser, scene: Scene) -> None:
    """What is down is marked and told, within seconds; so are its return, and a router that is silent."""
    with served(scene) as url:
        seen = Seen(browser)
        page, pill, news = seen.page, seen.page.locator("#pill"), seen.page.locator("#news")
        page.goto(f"{url}#token={TOKEN}")
        expect(page.locator("#tile-resolves .note")).to_have_text("70 in all")
        elsewhere(scene.talk())
        expect(page.locator("#tile-resolves .note")).to_have_text("140 in all")
        expect(page.locator("#answers .hit")).to_have_count(1)
        scene.transport.kill(2)
        expect(pill).to_have_text("✕ 1 of 4 partitions down")
        expect(seen.row(2)).to_contain_text("✕ down")
        expect(page.locator(".slot").nth(2)).to_have_text("✕ 2")
        expect(page.get_by_role("status")).to_have_text("partition 2 is down")
        scene.transport.revive(2)
        expect(pill).to_have_text("● all 4 partitions are up")
        expect(seen.row(2)).to_contain_text("1 restart")
        expect(news.locator("li").first).to_contain_text("partition 2 is back after")
        for partition in range(4):
            scene.transport.kill(partition)
        expect(page.locator("#banner")).to_contain_text("none of its partitions answers; what is shown is of")
        for partition in range(4):
            scene.transport.revive(partition)
        expect(page.locator("#banner")).to_be_hidden()
        expect(pill).to_have_text("● all 4 partitions are up")
        page.context.close()
    assert seen.errors == []


def test_a_key_that_is_none_is_said_beside_its_field(browser: Browser, scene: Scene) -> None:
    """The field has the focus, and is marked; what is put right is explained."""
    with served(scene) as url:
        seen = Seen(browser, 400)
        page, key = seen.page, seen.page.get_by_label("Session")
        page.goto(f"{url}#token={TOKEN}")
        key.fill("telegram:bot_1")
        page.get_by_role("button", name="Explain").click()
        expect(page.locator("#key-problem")).to_contain_text("has 2 fields where channel:instance:room")
        expect(key).to_be_focused()
        expect(key).to_have_attribute("aria-invalid", "true")
        key.fill("<b>:bot:room")
        page.get_by_role("button", name="Explain").click()
        expect(page.locator(".goes")).to_contain_text("no route")
        expect(page.locator(".chip").first).to_contain_text("<b>")
        expect(page.locator("#key-problem")).to_be_empty()
        expect(page.get_by_role("region", name="The explanation")).to_be_focused()
        page.context.close()
    assert seen.errors == []


def test_without_a_token_it_asks_for_one_and_without_a_server_it_says_so(
    browser: Browser, scene: Scene
) -> None:
    """A wrong one does not help; a server that is gone is not taken for a router that is well."""
    seen = Seen(browser)
    page = seen.page
    with served(scene) as url:
        page.goto(url)
        page.get_by_label("Token").fill("guess")
        page.keyboard.press("Enter")
        expect(page.locator("#token-problem")).to_have_text("nobody is let in with this token")
        expect(page.locator("#inside")).to_be_hidden()
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#name")).to_have_text("chat")
        expect(page.locator("#door")).to_be_hidden()
        page.reload()
        expect(page.locator("#name")).to_have_text("chat")
    expect(page.locator("#pill")).to_have_text("✕ out of touch")
    expect(page.locator("#banner")).to_contain_text("server does not answer")
    page.context.close()
