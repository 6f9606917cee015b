"""What notebooks show: whole HTML that stands by itself, with every text escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from ray_router import (
    Advice,
    Confidence,
    CurvePoint,
    Delivery,
    Expected,
    FallbackReason,
    Freshness,
    Holdings,
    HotRoom,
    Load,
    Losses,
    Origin,
    PartitionLoad,
    PartitionStats,
    PressureLevel,
    RebalancePlan,
    Resolution,
    ResolutionSource,
    Route,
    RouterConfig,
    RouteRecord,
    RouterStats,
    Scope,
    SessionKey,
    Settings,
    SlotMove,
    Suggestion,
    Traffic,
)
from ray_router.testing import ManualClock, local_router

EVIL = "<script>alert('&\"1\"')</script>"
VOID = {"line", "circle", "polyline", "br"}

FOUND = Resolution(
    SessionKey("tg", "bot", EVIL),
    Route(EVIL, metadata={EVIL: EVIL}),
    ResolutionSource.EXACT,
    None,
    False,
    Confidence.OBSERVED,
    Scope.ROOM,
    3.0,
    7.0,
    2,
    1,
)
MISSED = replace(
    FOUND,
    route=None,
    source=ResolutionSource.NONE,
    reason=FallbackReason.STALE,
    stale=True,
    confidence=Confidence.NONE,
    matched_scope=None,
    age_s=None,
    expires_in_s=None,
    served_by_standby=True,
)
RECORD = RouteRecord(
    FOUND.key, Route(EVIL), Freshness.STALE, 1.0, 3.0, -7.0, Origin.INBOUND, (Route(EVIL),), failed=True
)
PARTITION = PartitionStats(
    0,
    incarnation=3,
    capacity=1_000,
    pressure=0.9,
    level=PressureLevel.DEGRADED,
    holdings=Holdings(live=900, stale=50, tombstones=50),
    traffic=Traffic(resolves=2_000, exact=1_500, scope=200, misses=300),
    load=Load(2_000.0, (HotRoom(f"tg:bot:{EVIL}", 7, 1_990.0),), ((7, 1_990.0),)),
)
STATS = RouterStats(EVIL, 1, (PARTITION, PartitionStats(1, available=False), PartitionStats(2)))
CURVE = (CurvePoint(60.0, 0.25), CurvePoint(600.0, 0.5), CurvePoint(6_000.0, 0.75), CurvePoint(None, 0.9))
ADVICE = Advice(
    EVIL,
    3_600.0,
    10_000,
    0.01,
    Settings(60.0, 100, 2),
    0.25,
    Expected(0.26, 0.02),
    Expected(0.9, 0.01),
    Losses(0.1, 0.4, 0.2),
    Settings(600.0, 100, 2),
    Expected(0.5, 0.03),
    (
        Suggestion("ttl_s", 60.0, 600.0, EVIL),
        Suggestion("max_entries_per_partition", 100, 100, "enough"),
    ),
    (EVIL,),
    CURVE,
    CURVE[:1],
)

REBALANCED = RebalancePlan(
    tuple(SlotMove(slot, 0, 1, 0.01) for slot in range(30)),
    (PartitionLoad(0, 0.8, 0.5, 8_192, 8_162), PartitionLoad(1, 0.2, 0.5, 8_192, 8_222)),
    1_000.0,
    1.2,
    (HotRoom(EVIL, 7, 600.0),),
    EVIL,
    3,
    done=True,
)


def explanation() -> Any:
    """Of a session with something on every rung."""
    clock = ManualClock()
    router = local_router(RouterConfig(ttl_s=60), clock=clock)
    key = SessionKey("tg", "bot", EVIL, "thread")
    router.set(key, Route("old")).result()
    clock.advance(100)
    router.set(key, Route(EVIL)).result()
    router.report(key, Route(EVIL), Delivery.PERMANENT).result()
    router.set(key.parent or key, Route("room")).result()
    router.set(SessionKey("tg", "bot"), Route("lobby")).result()
    return router.explain(key, [Route("P")], allow_stale=True, min_confidence=Confidence.STALE).result()


def resolutions() -> Any:
    """Many answers."""
    router = local_router()
    router.set(FOUND.key, Route(EVIL)).result()
    return router.resolve_many([FOUND.key] * 30).result()


SHOWN: dict[str, Any] = {
    "a resolution": FOUND,
    "a miss": MISSED,
    "a record": RECORD,
    "a fresh record": replace(RECORD, freshness=Freshness.FRESH, failed=False, alternates=()),
    "a partition": PARTITION,
    "a router": STATS,
    "advice": ADVICE,
    "advice to change nothing": replace(ADVICE, suggestions=ADVICE.suggestions[1:]),
    "a rebalance": REBALANCED,
    "a rebalance to come": replace(REBALANCED, done=False, moves=REBALANCED.moves[:3]),
    "a rebalance of nothing": replace(REBALANCED, done=False, moves=()),
    "an explanation": explanation(),
    "a batch": resolutions(),
}


class Reader(HTMLParser):
    """Follows tags, so that what is left open or closed twice is seen; keeps text and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opened."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closed."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        if self.open[-1:] != ["style"]:
            self.words.append(data)


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_it_is_whole_and_loads_nothing(shown: Any) -> None:
    """One element, all tags closed, no script, no address of anything."""
    html = shown._repr_html_()
    read = Reader(html)
    assert read.open == []
    assert html.startswith('<div class="ray-router">') and html.endswith("</div>")
    assert not read.tags & {"script", "link", "img", "iframe", "a"}
    assert not {name for name, _ in read.attributes} & {"src", "href", "onclick", "id"}
    assert not re.search(r"url\(|@import|https?:", html)


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_text_is_escaped(shown: Any) -> None:
    """Whoever names a room, or writes a reason, writes no HTML."""
    html = shown._repr_html_()
    assert EVIL not in html
    assert "<script" not in html


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_it_reads_on_light_and_on_dark(shown: Any) -> None:
    """Text has the colour of its surroundings, or else brings a background that it is readable on."""
    style = re.findall(r"\.ray-router ?([^{]*)\{([^}]*)\}", shown._repr_html_())
    assert style
    for selector, rules in style:
        colours = re.findall(r"(?<!-)color:([^;]+)", rules)
        assert all(each == "inherit" for each in colours) or selector == ".badge"
    backgrounds = {
        selector: rules.removeprefix("background:")
        for selector, rules in style
        if rules.startswith("background:#")
    }
    assert set(backgrounds) == {".good", ".warn", ".bad", ".quiet"}
    assert all(contrast_with_white(each) >= 4.5 for each in backgrounds.values()), backgrounds


def contrast_with_white(colour: str) -> float:
    """WCAG's contrast ratio, which is to be 4.5 at least (https://www.w3.org/TR/WCAG22/#contrast-minimum)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 1.05 / (
        sum(share * each for share, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05
    )


def words(shown: Any) -> str:
    """What a reader sees."""
    return " ".join(Reader(shown._repr_html_()).words)


def test_a_resolution_says_all_that_it_has() -> None:
    """Where to, how it was found, how sure that is."""
    said = words(FOUND)
    for each in (EVIL, "exact", "observed", "3.0 s", "7.0 s", "partition"):
        assert each in said
    missed = words(MISSED)
    for each in ("no route", "stale", "past its TTL", "its standby"):
        assert each in missed


def test_a_router_says_who_is_down_and_what_is_hot() -> None:
    """A row for each partition, and the findings below."""
    said = words(STATS)
    assert "1 down" in said
    assert "degraded 0.90" in said
    assert "75.0%" in said
    assert all(finding in said for finding in STATS.findings)
    assert STATS.findings
    assert "all partitions up" in words(replace(STATS, partitions=(PARTITION,)))


def test_advice_has_a_picture_of_each_curve() -> None:
    """With words for those who do not see it; a curve of one point is none."""
    html = ADVICE._repr_html_()
    (label,) = re.findall(r'aria-label="([^"]+)"', html)
    assert label == "hit ratio by TTL, seconds: 50.0% at 600, as suggested"
    (points,) = re.findall(r'points="([^"]+)"', html)
    assert len(points.split()) == len(CURVE)
    heights = [float(each.split(",")[1]) for each in points.split()]
    assert heights == sorted(heights, reverse=True)  # the more hits, the higher up
    unlimited = replace(ADVICE, suggested=replace(ADVICE.suggested, ttl_s=None))
    assert "90.0% at no limit" in unlimited._repr_html_()
    beyond = replace(ADVICE, suggested=replace(ADVICE.suggested, ttl_s=1e9), ttl_curve=CURVE[:3])
    assert "75.0% at 6,000" in beyond._repr_html_()


def test_an_explanation_has_each_rung_and_its_reasons() -> None:
    """And what was asked for."""
    shown = SHOWN["an explanation"]
    said = words(shown)
    for rung in shown.rungs:
        assert rung.source.value in said
        assert all(each.why in said for each in rung.candidates)
    assert "stale answers allowed, widest scope room, at least stale" in said


def test_a_long_batch_shows_its_beginning() -> None:
    """And says how many there are."""
    said = words(SHOWN["a batch"])
    assert "30 resolutions, the first 20" in said
    assert said.count("exact") == 20


def test_a_rebalance_shows_what_it_does() -> None:
    """The first of many moves, how many more there are, and what it cannot help."""
    html = REBALANCED._repr_html_()
    assert "1.60, after 30 moves 1.00, and 1.20 is the least" in html
    assert "and 10 more" in html
    assert "60% of the traffic" in html
    assert "slots that move" not in SHOWN["a rebalance of nothing"]._repr_html_()
