"""A schedule in which partitions come and go, by somebody who changes their mind, while others are killed."""

from __future__ import annotations

from collections.abc import Sequence

from ray_router.core.exchange import Exchange
from ray_router.core.reshaping import balanced_among

from .schedule import Schedule

_LOOKS_EVERY_S = 0.1


class ResizedSchedule(Schedule):
    """A schedule with one resize after another, each by what the partitions say."""

    _roles_change = True

    def __init__(self, seed: int, *, synchronous: bool, one_at_a_time: bool, kills: bool = True) -> None:
        super().__init__(seed, synchronous=synchronous, one_at_a_time=one_at_a_time)
        random = self._random
        self._wanted: Sequence[int] = [random.randint(1 + kills, 6) for _ in range(random.randint(1, 3))]
        self._wavers = random.random() < 0.4
        self._kills = kills
        self._ended: dict[int, int] = {}  # lives of those who were dismissed
        self.moved = 0
        self.resized = 0
        self.world.after(random.uniform(0, 2.0), self._resize)

    def _resize(self) -> None:
        if not self._wanted:
            return
        if self._wavers and len(self._wanted) > 1 and self._random.random() < 0.05:
            self._wanted = self._wanted[1:]  # in the middle of it
        self._do_what_is_missing(range(self._wanted[0]))
        self.world.after(_LOOKS_EVERY_S, self._resize)

    def _do_what_is_missing(self, wanted: range) -> None:
        for index in wanted:
            if index not in self.nodes:
                self.start(index, 1 + self._ended.get(index, 0), joins=True)
        if any(not node.alive or node._frozen is not None for node in self.nodes.values()):
            return
        exchanges = {index: node.life.exchange for index, node in self.nodes.items()}
        decree = exchanges[0].decree
        target = balanced_among(decree.owners, wanted)
        through = all(_is_through(each, decree.since, decree.members) for each in exchanges.values())
        if decree.heirs is None and decree.owners == target:
            if through:
                self._dismiss(decree.members)
        elif decree.heirs == target:
            if through:
                exchanges[0].obey(decree.inherited(), self.world.now)
                self.moved += 1
        elif all(exchanges[index].ready for index in wanted):
            exchanges[0].obey(decree.heading_for(target), self.world.now)

    def _dismiss(self, members: tuple[int, ...]) -> None:
        for index in [index for index in self.nodes if index not in members]:
            node = self.nodes.pop(index)
            node.end()
            self._ended[index] = node.life.exchange.incarnation
        self._wanted = self._wanted[1:]
        self.resized += 1

    def _befall(self) -> None:
        if self._kills:
            super()._befall()

    def _kill_when_settled(self, left: int) -> None:
        if self._kills:
            super()._kill_when_settled(left)

    def _settled(self) -> bool:
        return not self.nodes[0].life.exchange.decree.heirs and super()._settled()

    def _at_rest(self) -> bool:
        at_rest = super()._at_rest() and not self._wanted
        if at_rest:
            self.topology = self.nodes[0].life.exchange.topology
        return at_rest


def _is_through(exchange: Exchange, since: int, members: tuple[int, ...]) -> bool:
    """Whether a partition goes by a decree, and has done what it says."""
    ready = exchange.ready and not exchange.custody.awaits
    done = ready if exchange.index in members else exchange.holds_nothing
    return exchange.decree.since >= since and exchange.handed_on and done
