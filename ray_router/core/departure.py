"""Departure: whose slots others take, because the node it lives on is about to leave. Pure.

A partition stays one of the router's while its node goes: it hands its slots off, begins a new life
elsewhere, and is given slots again once it lives on a node that stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple


class Placement(NamedTuple):
    """Who is to own slots.

    Args:
        partitions: how many there are, from 0 on, those that own none at the moment included.
        away: those that are to own none.
        stranded: all live on nodes that are about to leave, so that nobody could take anything.
    """

    partitions: int
    away: frozenset[int]
    stranded: bool = False

    @property
    def owners(self) -> tuple[int, ...]:
        """Those that are to own slots, in order."""
        return tuple(each for each in range(self.partitions) if each not in self.away)


def placement(
    owners: Collection[int], away: Collection[int], homes: Mapping[int, str], leaving: Collection[str]
) -> Placement:
    """Who is to own slots, as nodes come and go.

    Args:
        owners: the partitions that own slots.
        away: those that were to own none, when this was asked last.
        homes: the node of each partition that answers.
        leaving: the nodes that are about to leave.
    """
    absent = {*away} - {*owners}
    partitions = 1 + max({*owners, *absent})
    threatened = {each for each in range(partitions) if homes.get(each) in leaving}
    not_back = {each for each in absent if each not in homes}
    gone = frozenset(threatened | not_back)
    if len(gone) == partitions:
        return Placement(partitions, frozenset(range(partitions)).difference(owners), stranded=True)
    return Placement(partitions, gone)
