"""``FanOut``: one observer that tells several, so that the core knows but one."""

from __future__ import annotations

from collections.abc import Iterable

from ray_router.core.events import Event, Observer, guarded


class FanOut:
    """Tells each of its observers; one that fails keeps nothing from the others, and is reported once."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple([guarded(each) for each in observers])

    def __call__(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)


def joined(observers: Iterable[Observer | None]) -> Observer | None:
    """One observer for those that there are; None when there are none, which costs nothing."""
    there = [each for each in observers if each is not None]
    if len(there) > 1:
        return FanOut(there)
    return there[0] if there else None
