"""Everything that ray_router raises on purpose.

::

    RouterError
    ├── InvalidInputError (ValueError)       .field, .problem
    │   ├── InvalidKeyError
    │   ├── InvalidRouteError
    │   ├── InvalidCallError                 a stamp, a TTL, an option, a batch
    │   └── InvalidConfigError               from a file, the command line or a deployment
    ├── ConfigMismatchError                  .fields
    ├── RouterNotFoundError (LookupError)
    ├── NoRouteError (LookupError)
    ├── PartitionUnavailableError
    ├── DeadlineExceededError (TimeoutError)
    └── SnapshotError                        .uri, .problem
        └── SnapshotNotFoundError (LookupError)

All of them pickle, and each is built from positional arguments alone, because Ray rebuilds an
exception from its ``args``.
"""


class RouterError(Exception):
    """Whatever ray_router raises on purpose."""


class InvalidInputError(RouterError, ValueError):
    """Input that can never be accepted; nothing was stored and nothing was sent.

    Args:
        field: the name of what is wrong, as the caller wrote it (``"room"``, ``"ttl_s"``).
        problem: what is wrong with it and which limit it breaks, without the offending content.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class InvalidKeyError(InvalidInputError):
    """A session key, or its text form, that names no session."""


class InvalidRouteError(InvalidInputError):
    """A route that cannot be delivered to, or does not belong to the session."""


class InvalidCallError(InvalidInputError):
    """An argument of a call, other than a key or a route, that cannot be accepted."""


class InvalidConfigError(InvalidInputError):
    """A setting from a file, the command line or a deployment that cannot be accepted."""


class ConfigMismatchError(RouterError):
    """A router of this name runs with another config.

    Args:
        name: the router's name.
        fields: one line for each differing field, with both values.
    """

    def __init__(self, name: str, fields: tuple[str, ...]) -> None:
        super().__init__(name, fields)
        self.name = name
        self.fields = fields

    def __str__(self) -> str:
        return f"router {self.name!r} is already running with another config: " + "; ".join(self.fields)


class RouterNotFoundError(RouterError, LookupError):
    """No router of this name is deployed in this namespace."""


class NoRouteError(RouterError, LookupError):
    """A resolution has no route to require."""


class PartitionUnavailableError(RouterError):
    """The partition that owns a key cannot answer, and the caller gave no fallback.

    Args:
        partition: the partition's index.
        problem: what was observed.
    """

    def __init__(self, partition: int, problem: str) -> None:
        super().__init__(partition, problem)
        self.partition = partition
        self.problem = problem

    def __str__(self) -> str:
        return f"partition {self.partition} is unavailable: {self.problem}"


class DeadlineExceededError(RouterError, TimeoutError):
    """A call was not answered within its deadline, though its partition is not known to be down."""


class SnapshotError(RouterError):
    """A snapshot could not be taken or restored; what the router holds is as good as before.

    Args:
        uri: where it lies, without passwords.
        problem: what is wrong.
    """

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(uri, problem)
        self.uri = uri
        self.problem = problem

    def __str__(self) -> str:
        return f"snapshot at {self.uri}: {self.problem}"


class SnapshotNotFoundError(SnapshotError, LookupError):
    """There is no complete snapshot in this folder, or none of this name."""
