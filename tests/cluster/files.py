"""The files of ``cluster/``, read."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).parents[2]
CLUSTER = REPOSITORY / "cluster"
KUBERAY = CLUSTER / "kuberay"
ROUTER, FRONT = KUBERAY / "router", KUBERAY / "front"
LAUNCHER = CLUSTER / "launcher"
DOCKERFILE = CLUSTER / "Dockerfile"
RUNBOOK = CLUSTER / "RUNBOOK.md"
SCHEMAS = Path(os.environ.get("RAY_ROUTER_DATA", REPOSITORY.parent / "shared" / "data")).parent / "schemas"

_ON_HEAD = re.compile(r"^(?:ON=\S+ )?on-head ")


class Block(NamedTuple):
    """A fenced block of the runbook."""

    language: str
    text: str


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def document(path: Path) -> dict[str, Any]:
    """The one document of a YAML file."""
    (only,) = documents(path)
    return only


@cache
def _tokens() -> list[Any]:
    return list(MarkdownIt("commonmark").parse(RUNBOOK.read_text(encoding="utf-8")))


def blocks(language: str) -> list[str]:
    """The fenced blocks of the runbook that are in a language."""
    return [token.content for token in _tokens() if token.type == "fence" and token.info == language]


def shell_lines() -> list[str]:
    """Every command of the runbook: each line of its blocks of shell, and what its text has as code."""
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    lines += [
        child.content
        for token in _tokens()
        if token.type == "inline"
        for child in token.children
        if child.type == "code_inline"
    ]
    return lines


def runbook_commands(program: str) -> list[str]:
    """The runbook's commands of a program: as they are, on a head, or within ``ray exec``; each once."""
    commands: list[str] = []
    for line in shell_lines():
        command = _ON_HEAD.sub("", line).split("   #")[0]
        within = re.fullmatch(r"ray exec \S+ \"(.+)\"", command)
        commands += [command] if within is None else [command, within[1]]
    return [command for command in dict.fromkeys(commands) if command.startswith(f"{program} ")]
