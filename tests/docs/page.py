"""The README as data: its blocks of code, tables, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"

_NO_SLUG = re.compile(r"[^\w\- ]")


class Block(NamedTuple):
    """A fenced block of code; ``line`` is that of its first line of code, from 1."""

    language: str
    code: str
    line: int


@cache
def _tokens() -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(README.read_text(encoding="utf-8"))


def blocks(language: str) -> list[Block]:
    """The blocks of a language, in order."""
    fences = [token for token in _tokens() if token.type == "fence" and token.info == language]
    return [Block(language, fence.content, (fence.map or [0])[0] + 2) for fence in fences]


def commands() -> list[str]:
    """Every command of the shell blocks, one by one."""
    lines = [line for block in blocks("bash") for line in block.code.splitlines()]
    return [command.strip() for line in lines for command in line.split("&&")]


def table(first_title: str) -> list[list[str]]:
    """The rows below the titles of the one table whose first column is titled so; cells as plain text."""
    (found,) = [rows for rows in _tables() if rows[0][0] == first_title]
    return found[1:]


def anchors() -> set[str]:
    """What a link within the page may lead to, as GitHub names headings."""
    headings = [_plain(token) for before, token in pairwise(_tokens()) if before.type == "heading_open"]
    return {_NO_SLUG.sub("", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> list[str]:
    """Where the page's links lead."""
    inlines = [token for token in _tokens() if token.type == "inline"]
    children = [child for inline in inlines for child in inline.children or ()]
    return [str(child.attrGet("href")) for child in children if child.type == "link_open"]


def pictures() -> dict[str, str]:
    """What stands in place of each picture for whoever does not see it, by its file."""
    inlines = [token for token in _tokens() if token.type == "inline"]
    children = [child for inline in inlines for child in inline.children or ()]
    return {str(child.attrGet("src")): child.content for child in children if child.type == "image"}


def drawn(picture: Path) -> list[str]:
    """The lines of text in a picture of a terminal, their words a space apart, empty lines left out."""
    lines: dict[str, list[tuple[float, str]]] = {}
    for text in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text"):
        if "clip-path" in text.attrib:  # which all have but the title
            lines.setdefault(text.attrib["y"], []).append((float(text.attrib["x"]), text.text or ""))
    joined = [" ".join(" ".join(part for _, part in sorted(line)).split()) for line in lines.values()]
    return [line for line in joined if line]


def _tables() -> Iterator[list[list[str]]]:
    rows: list[list[str]] = []
    for before, token in pairwise(_tokens()):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif before.type in ("th_open", "td_open"):
            rows[-1].append(_plain(token))
        elif token.type == "table_close":
            yield rows


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())
