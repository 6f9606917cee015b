"""Ctrl-C and termination: held back while they would do harm, then as orderly as an exception."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from ray_router.cli.interrupts import TERMINATED, terminable, uninterrupted


def send(number: signal.Signals) -> None:
    """A signal to this process."""
    os.kill(os.getpid(), number)


def test_ctrl_c_counts_after_what_must_not_be_interrupted() -> None:
    """Not during it, and not for ever after."""
    done = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        send(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_termination_counts_after_it_too() -> None:
    """With the exit code that says so."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left, terminable(), uninterrupted():
        send(signal.SIGTERM)
    assert left.value.code == TERMINATED == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_termination_leaves_as_an_exception_does() -> None:
    """So that what was begun is ended."""
    cleaned = []
    with pytest.raises(SystemExit), terminable():
        try:
            send(signal.SIGTERM)
        finally:
            cleaned.append("up")
    assert cleaned == ["up"]


def test_an_error_comes_before_an_interrupt() -> None:
    """It says more."""
    with pytest.raises(ValueError, match="first"), uninterrupted():
        send(signal.SIGINT)
        raise ValueError("first")


def test_handlers_that_came_in_between_are_replaced() -> None:
    """Ray sets its own, which would end the process at once."""
    with terminable():
        ours = signal.getsignal(signal.SIGTERM)
        with uninterrupted():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGTERM) is ours


def test_threads_leave_signals_alone() -> None:
    """Only the main thread may touch them."""
    problems: list[BaseException] = []

    def work() -> None:
        try:
            with terminable(), uninterrupted():
                assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not problems
