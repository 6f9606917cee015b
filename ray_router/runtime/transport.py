"""``RayTransport``: the partitions of a router as Ray actors, found by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

import ray
from ray.actor import ActorHandle

from ray_router.errors import RouterError, RouterNotFoundError
from ray_router.runtime.faults import fault_of
from ray_router.runtime.fleet import deployed_numbers
from ray_router.runtime.naming import actor_name, partition_of
from ray_router.transport import Directory, PartitionGone, ReadPage, Request, TakeIn
from ray_router.wire import Batch, Response, pack_batch, unpack_response

T = TypeVar("T")


def require_ray() -> None:
    """Ray would start a cluster of its own at the first call; that must be the user's decision.

    Raises:
        RouterError: this process is not connected to a cluster.
    """
    if not ray.is_initialized():
        raise RouterError(
            "Ray is not initialised in this process: call ray.init() to start it on this machine, "
            "or ray.init(address='auto') to join a running cluster"
        )


def deployed_partitions(name: str, namespace: str) -> list[int]:
    """The partitions of a router that have a living name, in order."""
    return deployed_numbers(namespace, partial(partition_of, router=name))


class RayTicket(Generic[T]):
    """A Ray call under way. Waiting asks Ray directly, which spares a change of threads."""

    def __init__(self, reference: ray.ObjectRef[Any], read: Callable[[Any], T]) -> None:
        self._reference = reference
        self._read = read
        self._future: Future[Any] | None = None

    def wait(self, timeout_s: float) -> T:
        """Block until the call settles."""
        try:
            if self._future is not None:
                return self._read(self._future.result(timeout_s))
            require_ray()
            return self._read(ray.get(self._reference, timeout=timeout_s))
        except Exception as error:  # mapped in one place, whatever Ray raises
            raise fault_of(error) from None

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call back when the call settles, from a thread of Ray's."""
        if self._future is None:
            self._future = self._reference.future()
        self._future.add_done_callback(lambda _: callback())


class RayTransport:
    """The way to a router's actors.

    Args:
        name: the router's name.
        namespace: the Ray namespace that its actors are named in.
        actors: those that are known already, by partition.
    """

    def __init__(
        self, name: str, namespace: str, actors: Mapping[int, ActorHandle[Any]] | None = None
    ) -> None:
        self._name = name
        self._namespace = namespace
        self._actors: dict[int, ActorHandle[Any]] = dict(actors or {})
        self._asked = 0

    def __reduce__(self) -> tuple[type[RayTransport], tuple[str, str]]:
        return RayTransport, (self._name, self._namespace)

    def open(self) -> RayTicket[Directory]:
        """Ask a partition for the directory: the first, and should it not answer, the others in turn."""
        require_ray()
        if not self.relocate(self._asked):  # looked up even if it is known: it may have been ended since
            found = deployed_partitions(self._name, self._namespace)
            self._asked = found[self._asked % len(found)] if found else 0
            if not self.relocate(self._asked):
                raise RouterNotFoundError(
                    f"no router {self._name!r} is deployed in namespace {self._namespace!r}"
                )
        actor = self._actor(self._asked)
        self._asked += 1
        return RayTicket(actor.hello.remote(), self._learn)

    def submit(self, partition: int, batch: Batch) -> RayTicket[Response]:
        """Send a batch to a partition's data lane."""
        return RayTicket(self._call(partition, "apply", pack_batch(batch)), unpack_response)

    def ask(self, partition: int, request: Request) -> RayTicket[object]:
        """Ask a partition past its data lane."""
        long = isinstance(request, ReadPage | TakeIn)  # what is asked of its health does not wait for these
        return RayTicket(self._call(partition, "archive" if long else "answer", request), _as_it_is)

    def relocate(self, partition: int) -> bool:
        """Look up by name a partition whose actor is gone for good."""
        self._actors.pop(partition, None)
        try:
            self._actor(partition)
        except PartitionGone:
            return False
        return True

    def _call(self, partition: int, method: str, argument: bytes | Request) -> ray.ObjectRef[Any]:
        try:
            require_ray()
            reference: ray.ObjectRef[Any] = getattr(self._actor(partition), method).remote(argument)
        except (RouterError, ray.exceptions.RayError) as error:
            raise fault_of(error) from None
        except Exception as error:  # Ray says so when a handle is of another cluster than this process is
            raise PartitionGone(f"it cannot be called: {error}") from None
        return reference

    def _actor(self, partition: int) -> ActorHandle[Any]:
        actor = self._actors.get(partition)
        if actor is None:
            if not ray.is_initialized():  # asking Ray for a name would start a cluster
                raise PartitionGone("Ray is not initialised in this process any more")
            try:
                actor = ray.get_actor(actor_name(self._name, partition), namespace=self._namespace)
            except ValueError:
                raise PartitionGone("no actor has its name") from None
            self._actors[partition] = actor
        return actor

    def _learn(self, hello: Any) -> Directory:
        for index, actor in hello.actors.items():
            self._actors.setdefault(index, actor)
        directory: Directory = hello.directory
        return directory


def _as_it_is(answer: T) -> T:
    return answer
