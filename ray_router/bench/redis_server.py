"""A Redis of the bench's own: on a free port of this machine, keeping nothing on disk."""

from __future__ import annotations

import shutil
import socket
import subprocess  # nosec B404
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ray_router.bench.machine import version_of
from ray_router.bench.sessions import chunks
from ray_router.errors import RouterError

if TYPE_CHECKING:
    from redis import Redis

_ANSWERS_WITHIN_S = 30.0
_LOOK_AGAIN_S = 0.02
_END_WITHIN_S = 10.0
_DATABASES = 16


@dataclass(frozen=True)
class RedisServer:
    """A server that runs."""

    port: int
    version: str

    def client(self, database: int = 0) -> Redis:
        """A client that waits; close it, or use it as a context manager."""
        from redis import Redis

        return Redis(host="127.0.0.1", port=self.port, db=database)

    def load(self, entries: int, database: int = 0) -> None:
        """Have one database hold so many sessions, and nothing else."""
        with self.client(database) as client:
            client.flushdb()
            for chunk in chunks(entries):
                client.mset(chunk)

    def clear(self) -> None:
        """Have it hold nothing."""
        with self.client() as client:
            client.flushall()

    def used_bytes(self) -> int:
        """What it says its data takes."""
        with self.client() as client:
            return int(client.info("memory")["used_memory"])


def redis_missing() -> str | None:
    """Why there can be no Redis here; None when there can."""
    if shutil.which("redis-server") is None:
        return "redis-server is not installed (on Debian: apt-get install redis-server)"
    if version_of("redis") is None:
        return "redis-py is not installed: pip install 'ray-router[bench]'"
    return None


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Start a server; it is ended afterwards.

    Raises:
        RouterError: it does not start.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="rr-redis-") as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--appendonly", "no", "--dir", folder, "--databases", str(_DATABASES)]
        # No shell, and nothing in it comes from outside.
        with subprocess.Popen(  # nosec B603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                yield RedisServer(port, _version(port, process))
            finally:
                process.terminate()
                try:
                    process.wait(_END_WITHIN_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def _version(port: int, process: subprocess.Popen[bytes]) -> str:
    """The server's version, once it answers."""
    from redis import Redis
    from redis.exceptions import RedisError

    deadline = time.monotonic() + _ANSWERS_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with Redis(host="127.0.0.1", port=port) as client:
                return str(client.info("server")["redis_version"])
        except RedisError:
            time.sleep(_LOOK_AGAIN_S)
    raise RouterError("redis-server does not start on this machine")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
