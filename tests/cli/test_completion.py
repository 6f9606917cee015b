"""Completion, in a real bash that was told what the command line says it should be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .commands import own_environment

COMMAND = Path(sys.executable).with_name("ray-router")

pytestmark = [
    pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash"),
    pytest.mark.skipif(not COMMAND.exists(), reason="ray-router is not installed beside this Python"),
]


def bash(script: str) -> str:
    """What a bash says that finds the command on its path."""
    environment = own_environment()
    environment["PATH"] = f"{COMMAND.parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def script() -> str:
    """What the command line has bash read, asked for by a bash."""
    return bash("ray-router --show-completion; true")


def completions(script: str, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    quoted = " ".join(f"'{word}'" for word in words)
    return bash(
        f"{script}\n"
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
        "registered=$(complete -p ray-router); registered=${registered##*-F }\n"
        "${registered%% *} ray-router\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    ).split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("re",), ["revive", "resize", "rebalance", "restore", "resolve", "replay"]),
        (("resolve", "--e"), ["--explain"]),
        (("resolve", "tg:bot:room", "--widest-scope", ""), ["thread", "room", "instance", "channel"]),
        (("up", "--eviction", "s3"), ["s3fifo"]),
    ],
    ids=("commands", "options", "words of a vocabulary", "names of policies"),
)
def test_a_beginning_is_completed(script: str, words: tuple[str, ...], offered: list[str]) -> None:
    """By what may stand there, in its order."""
    assert completions(script, "ray-router", *words) == offered
