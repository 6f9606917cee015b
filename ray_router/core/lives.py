"""Lives: what the partitions of a router know of each other: who was born when, where, and who is out.

Every partition tells its peers of each life that it begins; they count, since the dead cannot. One that
dies too often is taken out of service: it comes back as often as it is restarted, but its slots stay with
those who keep their copies until somebody brings it back. All of it is a lattice, merged by maximum, so
that it may be told in any order and as often as one likes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Life(NamedTuple):
    """What is known of one partition.

    Args:
        incarnation: the greatest that was heard of, 0 for none.
        service: even while it is in service, odd while it is out; one more at each change.
        moves: how often it was born on another node than before.
        node: where it was born.
    """

    incarnation: int = 0
    service: int = 0
    moves: int = 0
    node: str = ""

    @property
    def out(self) -> bool:
        """Whether it is out of service."""
        return self.service % 2 == 1

    def joined(self, other: Life) -> Life:
        """What both know."""
        newer = max(self, other, key=lambda life: (life.incarnation, life.moves, life.node))
        return newer._replace(service=max(self.service, other.service))


UNHEARD = Life()


class Restarts:
    """How often partitions were born of late.

    Args:
        most: births in a window that are borne.
        window_s: its length, seconds.
    """

    def __init__(self, most: int, window_s: float) -> None:
        self._most = most
        self._window_s = window_s
        self._births: dict[int, deque[float]] = {}

    def born(self, partition: int, now: float) -> bool:
        """Count a birth; whether there were too many in the window that ends now."""
        births = self._births.setdefault(partition, deque(maxlen=self._most + 1))
        births.append(now)
        return len(births) > self._most and births[0] > now - self._window_s

    def forgive(self, partition: int) -> None:
        """Begin to count anew."""
        self._births.pop(partition, None)


class Lives:
    """The lives of all partitions, as one of them knows them.

    What it says of all of them follows from what is known of each, and from nothing that only some have seen:
    those who know the same say the same, whenever they were born.

    Args:
        partitions: those that own slots.
        housed: it matters where they live.
    """

    def __init__(self, partitions: Iterable[int], restarts: Restarts, *, housed: bool = True) -> None:
        self._lives: dict[int, Life] = {}
        self._restarts = restarts
        self._housed = housed
        self._changes = 0
        self._apart = False
        self.meet(partitions)

    def __getitem__(self, partition: int) -> Life:
        return self._lives.get(partition, UNHEARD)

    @property
    def out(self) -> frozenset[int]:
        """The partitions that are out of service."""
        return frozenset(index for index, life in self._lives.items() if life.out)

    @property
    def nodes(self) -> dict[int, str]:
        """The node of each partition that was heard of."""
        return {index: life.node for index, life in self._lives.items() if life.node}

    @property
    def moves(self) -> int:
        """Greater whenever the standbys are chosen anew, because of where partitions live.

        A move counts twice, for it may be the one after which all live in one place.
        """
        return 2 * sum(life.moves for life in self._lives.values()) + self.apart

    def meet(self, partitions: Iterable[int]) -> None:
        """These are the partitions that there are."""
        self._members = tuple(partitions)
        self._count()

    @property
    def changes(self) -> int:
        """Greater whenever somebody went out of service, came back, or was born elsewhere."""
        return self._changes

    @property
    def apart(self) -> bool:
        """Whether it is known where all of them live, and that is not one place."""
        return self._apart

    def told(self, *, everything: bool = False) -> dict[int, Life]:
        """What is worth telling: nothing of those who live their first life in service.

        Args:
            everything: of them too, to somebody who was born after them.
        """
        if everything:
            return dict(self._lives)
        return {index: life for index, life in self._lives.items() if life.incarnation > 1 or life.service}

    def restarted(self) -> Mapping[int, int]:
        """The incarnations of those who were born more than once."""
        return self._restarted

    def hear(self, told: Mapping[int, Life], now: float) -> list[int]:
        """Take in what a peer knows, and take out of service who was born too often.

        Returns:
            The partitions that were taken out just now, by this peer's own count.
        """
        taken_out: list[int] = []
        for index, life in told.items():
            known = self[index]
            joined = known.joined(life)
            if 0 < known.incarnation < joined.incarnation and known.node and known.node != joined.node:
                joined = joined._replace(moves=max(joined.moves, known.moves + 1))
            reborn = 0 < known.incarnation < joined.incarnation
            if reborn and self._restarts.born(index, now) and not joined.out:
                joined = joined._replace(service=joined.service + 1)
                taken_out.append(index)
            if joined != known:
                self.set(index, joined)
        return taken_out

    def revive(self, partition: int) -> bool:
        """Bring a partition back into service; whether it was out."""
        life = self[partition]
        self._restarts.forgive(partition)
        if life.out:
            self.set(partition, life._replace(service=life.service + 1))
        return life.out

    def set(self, partition: int, life: Life) -> None:
        """What is known of a partition from now on."""
        self._lives[partition] = life
        self._count()

    def _count(self) -> None:
        nodes = {self[each].node for each in self._members}
        self._restarted = {
            index: life.incarnation for index, life in self._lives.items() if life.incarnation > 1
        }
        self._apart = self._housed and "" not in nodes and len(nodes) > 1
        services = sum(life.service for life in self._lives.values())
        self._changes = services + self.moves
