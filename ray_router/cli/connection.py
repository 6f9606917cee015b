"""Ray's part in a command's life: joined or started before it, left or ended after it, whatever happens."""

from __future__ import annotations

import logging
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import environ
from types import ModuleType

from ray_router.cli.interrupts import terminable, uninterrupted
from ray_router.cli.screen import Screen
from ray_router.config import RouterConfig
from ray_router.errors import RouterError, RouterNotFoundError
from ray_router.handle import RouterHandle

# A command that is interrupted leaves calls under way; what they come to, once the actors or Ray itself are
# gone, is no news to anybody.
_LOG = logging.getLogger("ray_router")
_SILENT = logging.CRITICAL + 1
_ANSWERS_WITHIN_S = 3.0
_OBJECT_STORE_BYTES = 96 * 1024 * 1024  # a router puts nothing there; Ray's own least is 75 MiB


class NoClusterError(RouterError):
    """There is no Ray cluster to join."""

    hint = "Start one with: ray start --head   (ray-router demo needs none)"


@contextmanager
def joined(screen: Screen, address: str | None) -> Iterator[None]:
    """Be a driver of a running cluster; a process that is one already stays as it is.

    Raises:
        NoClusterError: there is none, or it does not let this process in.
    """
    ray = _ray()
    if ray.is_initialized():
        yield
        return
    found = _found(address)
    try:
        try:
            with screen.busy(f"joining the Ray cluster at {found}", briefly=True):
                ray.init(address=found, log_to_driver=False, logging_level="error")
        except (OSError, ValueError, RuntimeError, SystemExit) as error:  # Ray may give up by exiting
            raise NoClusterError(f"the Ray cluster at {found} cannot be joined: {error}") from None
        with terminable():
            yield
    finally:
        _LOG.setLevel(_SILENT)
        with uninterrupted():
            ray.shutdown()


@contextmanager
def connected(screen: Screen, address: str | None, name: str, namespace: str) -> Iterator[RouterHandle]:
    """A router of a running cluster.

    Raises:
        NoClusterError: there is none to join.
        RouterNotFoundError: it has no router of this name.
    """
    with joined(screen, address):
        from ray_router.runtime import connect

        yield connect(name, namespace=namespace)


@contextmanager
def started(screen: Screen) -> Iterator[None]:
    """Start Ray on this machine, for this process alone; nothing of it is left afterwards.

    Raises:
        RouterError: it does not start.
    """
    ray = _ray()
    with terminable(), _short_folder() as folder:
        try:
            with screen.busy("starting Ray on this machine"), uninterrupted():
                _start(ray, folder)
            yield
        finally:
            _LOG.setLevel(_SILENT)
            with uninterrupted():
                ray.shutdown()


@contextmanager
def joined_or_started(screen: Screen, address: str | None) -> Iterator[None]:
    """The cluster at an address; without one, a Ray of this command's own."""
    with started(screen) if runs_its_own(address) else joined(screen, address):
        yield


def runs_its_own(address: str | None) -> bool:
    """Whether a command that may start Ray does so."""
    return address in (None, "", "local") and not _ray().is_initialized()


@contextmanager
def own_router(screen: Screen, config: RouterConfig, namespace: str) -> Iterator[RouterHandle]:
    """A router that is there for this command alone."""
    from ray_router.runtime import deploy, shutdown

    try:
        with screen.busy(f"deploying {config.partitions} partitions"):
            handle = deploy(config, namespace=namespace)
        yield handle
    finally:
        level = _LOG.level
        _LOG.setLevel(_SILENT)
        with uninterrupted(), suppress(RouterNotFoundError):
            shutdown(config.name, namespace=namespace)
        _LOG.setLevel(level)


@contextmanager
def _short_folder() -> Iterator[str]:
    """A folder for Ray to work in, with a short path, for the sockets in it.

    In Ray's usual one, others' ``auto`` would take this for a cluster that stays.
    """
    parent = environ.get("RAY_TMPDIR") or "/tmp"  # nosec B108
    try:
        folder = tempfile.mkdtemp(prefix="rr-", dir=parent)
    except OSError as error:
        raise RouterError(f"Ray has no folder to work in: {parent}: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(ray: ModuleType, folder: str) -> None:
    try:
        ray.init(
            address="local",
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            object_store_memory=_OBJECT_STORE_BYTES,
            _temp_dir=folder,
            _system_config={"enable_metrics_collection": False},
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise RouterError(f"Ray cannot be started on this machine: {error}") from None


def _ray() -> ModuleType:
    """Ray, told not to start a cluster by itself when a thread's call comes too late, after the shutdown."""
    if "ray" not in sys.modules:
        environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    import ray

    return ray


def _found(address: str | None) -> str:
    """Where the cluster listens; checked here, because Ray itself would wait for minutes.

    Raises:
        NoClusterError: nobody listens there.
    """
    try:
        found = _host_and_port(address or "auto")
    except (OSError, ValueError) as error:
        if "Could not find" in str(error):
            raise NoClusterError("no Ray cluster is running on this machine") from None
        raise NoClusterError(f"{address!r} is no address of a Ray cluster: {error}") from None
    host, _, port = found.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_WITHIN_S).close()
    except (OSError, ValueError) as error:
        raise NoClusterError(f"no Ray cluster answers at {found}: {error}") from None
    return found


def _host_and_port(address: str) -> str:
    """The address as ``host:port``; Ray knows where this machine's own cluster is."""
    if "://" in address:
        return address
    from ray._private.services import canonicalize_bootstrap_address_or_die

    return str(canonicalize_bootstrap_address_or_die(address))
