"""``Errand``: one request to one partition, made again until it is answered, however often its actor dies."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from ray_router.errors import RouterError
from ray_router.model import PartitionStats
from ray_router.transport import (
    Control,
    Fault,
    NotYet,
    PartitionBroken,
    PartitionGone,
    Request,
    Ticket,
    Transport,
)

T = TypeVar("T")

PATIENCE_S = 60.0  # for a partition that is down: its actor may have to be placed on another node
_AGAIN_AFTER_S = 0.05
_LOOKS_WITHIN_S = 5.0


class Dismissed(PartitionGone):
    """The partition was taken away: others have what it had."""


class Errand(Generic[T]):
    """A request on its way; what is asked may be asked twice.

    Args:
        kind: of its answer.
        patience_s: how long a partition may stay silent.
    """

    def __init__(
        self,
        transport: Transport,
        partition: int,
        request: Request,
        kind: type[T],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._transport = transport
        self._partition = partition
        self._request = request
        self._kind = kind
        self._patience_s = patience_s
        self._ticket = self._ask()

    def result(self) -> T:
        """Block until it is answered.

        Raises:
            Dismissed: there is no such partition any more.
            Fault: it is not, or never will be.
            RouterError: it was refused.
        """
        until = time.monotonic() + self._patience_s
        while True:
            try:
                if isinstance(self._ticket, Fault):
                    raise self._ticket
                answer = self._ticket.wait(max(0.0, until - time.monotonic()))
            except (NotYet, PartitionBroken):
                raise
            except Fault as fault:
                if time.monotonic() >= until:
                    raise
                time.sleep(_AGAIN_AFTER_S)
                if isinstance(fault, PartitionGone) and not self._transport.relocate(self._partition):
                    self._see_whether_dismissed()
                self._ticket = self._ask()
                continue
            if not isinstance(answer, self._kind):
                raise PartitionBroken(f"it answered with {type(answer).__name__}")
            return answer

    def _see_whether_dismissed(self) -> None:
        try:
            topology = self._transport.open().wait(_LOOKS_WITHIN_S).topology
        except RouterError:
            return
        if self._partition not in topology.members:
            raise Dismissed("it was taken away")

    def _ask(self) -> Ticket[object] | Fault:
        try:
            return self._transport.ask(self._partition, self._request)
        except Fault as fault:
            return fault


def out_of_service(transport: Transport, partitions: tuple[int, ...]) -> frozenset[int]:
    """The partitions that died too often: others give what they held, and take what they should hold."""
    errands = [Errand(transport, each, Control.STATS, PartitionStats, _LOOKS_WITHIN_S) for each in partitions]
    out: set[int] = set()
    for errand in errands:
        try:
            copies = errand.result().copies
        except Fault:
            continue
        out.update(() if copies is None else copies.out)
    return frozenset(out)
