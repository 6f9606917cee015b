"""``Fleet``: the named, detached actors of one deployment, told apart by number."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import ray
from ray.actor import ActorHandle

from ray_router.errors import RouterError

_GONE_WITHIN_S = 30.0
_LOOK_AGAIN_S = 0.02
_TELL_EVERY_S = 1.0


class DeploymentError(RouterError):
    """The actors of a router or a gateway could not be placed in time."""


class Fleet(NamedTuple):
    """The actors of one deployment, wherever they are.

    Args:
        noun: what one of them is called, for people.
        of: what they belong to, for people.
        namespace: the Ray namespace that they are named in.
        name_of: number -> the actor's name.
        number_of: an actor's name -> its number; None for an actor of somebody else's.
        needs: what a node must have for them, for people.
    """

    noun: str
    of: str
    namespace: str
    name_of: Callable[[int], str]
    number_of: Callable[[str], int | None]
    needs: str

    def deployed(self) -> list[int]:
        """The numbers that have a living name, in order."""
        return deployed_numbers(self.namespace, self.number_of)

    def find_or_create(
        self, number: int, actor_class: Any, options: Mapping[str, Any], *args: Any
    ) -> tuple[ActorHandle[Any], bool]:
        """An actor, and whether this call created it; of several that race, one does.

        Args:
            options: what Ray is told besides its name, and that it outlives whoever creates it.
            args: those of its constructor.
        """
        name = self.name_of(number)
        named = {"name": name, "namespace": self.namespace, "lifetime": "detached", "max_restarts": -1}
        try:
            return ray.get_actor(name, namespace=self.namespace), False
        except ValueError:
            try:
                return actor_class.options(**named, **options).remote(*args), True
            except ray.exceptions.ActorAlreadyExistsError:
                return ray.get_actor(name, namespace=self.namespace), False

    def greet(
        self,
        actors: dict[int, ActorHandle[Any]],
        deadline: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> dict[int, Any]:
        """Hear from every actor, again from one that is just restarting: what its ``hello`` returns.

        Args:
            meanwhile: called before it waits, and every second; what it raises is passed on.

        Raises:
            DeploymentError: not all of them answered by the deadline (monotonic seconds), or one is dead.
        """
        hellos: dict[int, Any] = {}
        calls: dict[Any, int] = {}
        while True:
            meanwhile()
            asked = {*calls.values(), *hellos}
            calls |= {actor.hello.remote(): number for number, actor in actors.items() if number not in asked}
            remaining_s = max(0.0, deadline - time.monotonic())
            ready, _ = ray.wait(list(calls), num_returns=len(calls), timeout=min(remaining_s, _TELL_EVERY_S))
            for call in ready:
                number = calls.pop(call)
                try:
                    hellos[number] = ray.get(call)
                except ray.exceptions.ActorUnavailableError:
                    continue
                except ray.exceptions.RayError as error:  # dead for good: it could not start, or was ended
                    why = str(error).strip().rpartition("\n")[2].strip()
                    raise DeploymentError(f"{self.noun} {number} could not be deployed: {why}") from None
            if len(hellos) == len(actors):
                return hellos
            if time.monotonic() >= deadline:
                missing = [number for number in actors if number not in hellos]
                raise DeploymentError(
                    f"{self.noun}s {missing} could not be placed in time: is there a node with {self.needs}?"
                )
            time.sleep(_LOOK_AGAIN_S)

    def close(self, numbers: Collection[int], within_s: float, *args: Any) -> None:
        """Tell these actors that the end is near, end them, and wait until their names are free.

        Args:
            within_s: how long they may take over their ``close``, seconds.
            args: those of ``close``.

        Raises:
            RouterError: an actor did not end.
        """
        actors = []
        for number in numbers:
            try:
                actors.append(ray.get_actor(self.name_of(number), namespace=self.namespace))
            except ValueError:
                continue  # ended by somebody else in the meantime
        if closing := [actor.close.remote(*args) for actor in actors]:
            ray.wait(closing, num_returns=len(closing), timeout=within_s)
        end(actors)
        deadline = time.monotonic() + _GONE_WITHIN_S
        while left := sorted(set(numbers).intersection(self.deployed())):
            if time.monotonic() > deadline:
                raise RouterError(f"{self.noun}s {left} of {self.of} did not end")
            time.sleep(_LOOK_AGAIN_S)


def deployed_numbers(namespace: str, number_of: Callable[[str], int | None]) -> list[int]:
    """The numbers of those whose names live in a namespace, in order."""
    named = ray.util.list_named_actors(all_namespaces=True)
    numbers = (number_of(each["name"]) for each in named if each["namespace"] == namespace)
    return sorted(number for number in numbers if number is not None)


def end(actors: Iterable[ActorHandle[Any]]) -> None:
    """End actors at once, for good."""
    for actor in actors:
        ray.kill(actor, no_restart=True)
