"""Boarding: many submissions' operations as the groups of one batch, and each one's results again.

Resolves that stand next to each other and wish the same become one, whatever submissions they come from:
a thousand coroutines' questions travel, and are answered, as one text of keys and one of records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ray_router.core.operations import (
    USUAL_WISHES,
    Answers,
    Elsewhere,
    Group,
    Moved,
    Operation,
    Refused,
    Resolve,
    Result,
)


class Passenger(Protocol):
    """What one submission asks of one partition."""

    @property
    def key(self) -> str | None:
        """The key that it asks to resolve, when it asks and wishes nothing else."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What it asks, in order."""

    @property
    def terms(self) -> tuple[float | None, bool, bool]:
        """At what time, on a router with an event clock; whether of a copy; whether astray."""


class Seat(NamedTuple):
    """Where the result of an operation is found; of a resolve, which of the answers are its own."""

    group: int
    operation: int
    start: int = 0
    stop: int = 0


class Boarding:
    """Groups for these passengers, and the way back.

    ``groups`` are what travels, in the passengers' order.
    """

    def __init__(self, passengers: Sequence[Passenger]) -> None:
        self.groups: list[Group] = []
        self._seats: list[list[Seat] | tuple[int, int, int]] = []
        self._operations: list[Operation] = []
        self._run: list[str] = []
        self._wishes: tuple[object, ...] | None = None
        terms: tuple[float | None, bool, bool] = (None, False, False)
        for passenger in passengers:
            before, terms = terms, passenger.terms
            if terms != before and self._seats:
                self._end_group(before)
            key = passenger.key
            if key is None:
                self._seats.append([self._seat(each) for each in passenger.operations])
                continue
            if self._wishes != USUAL_WISHES:
                self._end_run()
                self._wishes = USUAL_WISHES
            self._seats.append((len(self.groups), len(self._operations), len(self._run)))
            self._run.append(key)
        self._end_group(terms)

    def results(self, results: Sequence[Sequence[Result]]) -> list[tuple[Result, ...]] | None:
        """Each passenger's results, in order; None when they do not answer what was asked."""
        if len(results) != len(self.groups):
            return None
        for group, said in zip(self.groups, results, strict=True):
            if not _answers_all(group, said):
                return None
        return [
            tuple([_result(results[group], *place) for group, *place in seats])
            if isinstance(seats, list)
            else (_result(results[seats[0]], seats[1], seats[2], seats[2] + 1),)  # of a lone key
            for seats in self._seats
        ]

    def _seat(self, operation: Operation) -> Seat:
        if type(operation) is not Resolve:
            self._end_run()
            self._operations.append(operation)
            return Seat(len(self.groups), len(self._operations) - 1)
        keys, *_ = operation
        wishes = operation[1:]
        if wishes != self._wishes:
            self._end_run()
            self._wishes = wishes
        start = len(self._run)
        self._run.extend(keys)
        return Seat(len(self.groups), len(self._operations), start, start + len(keys))

    def _end_run(self) -> None:
        if self._wishes is not None:
            self._operations.append(Resolve(tuple(self._run), *self._wishes))  # type: ignore[arg-type]
            self._run, self._wishes = [], None

    def _end_group(self, terms: tuple[float | None, bool, bool]) -> None:
        self._end_run()
        self.groups.append(Group(tuple(self._operations), *terms))
        self._operations = []


def _answers_all(group: Group, said: Sequence[Result]) -> bool:
    if len(said) == 1 and type(said[0]) in (Refused, Elsewhere, Moved):
        return True
    if len(said) != len(group.operations):
        return False
    for operation, result in zip(group.operations, said, strict=True):
        resolved = type(result) is Answers and type(operation) is Resolve
        if resolved and len(result.items) != len(operation.keys):  # type: ignore[union-attr]
            return False
    return True


def _result(said: Sequence[Result], operation: int, start: int, stop: int) -> Result:
    """What was said to an operation: of a resolve, the answers from ``start`` to ``stop``.

    A group that was refused as a whole has one refusal for all.
    """
    result = said[operation] if operation < len(said) else said[0]
    if type(result) is Answers and stop - start != len(result.items):
        return Answers(result.now, result.items[start:stop])
    return result
