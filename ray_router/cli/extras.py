"""What a command needs beyond the command line itself, and what to install where it is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from ray_router.errors import RouterError


class MissingExtraError(RouterError):
    """Something that a command needs is not installed.

    Args:
        needs: what needs it.
        package: what is missing.
        extra: of ray_router, which brings it.
    """

    def __init__(self, needs: str, package: str, extra: str) -> None:
        super().__init__(needs, package, extra)
        self.needs, self.package, self.extra = needs, package, extra

    def __str__(self) -> str:
        return f"{self.needs} needs {self.package!r}, which is not installed"

    @property
    def hint(self) -> str:
        """What to do."""
        return f"Install it with: pip install 'ray-router[{self.extra}]'"


def require(package: str, needs: str, extra: str) -> None:
    """Be sure that a package can be imported.

    Raises:
        MissingExtraError: it is not installed.
    """
    if find_spec(package) is None:
        raise MissingExtraError(needs, package, extra)


@contextmanager
def importing(packages: Collection[str], needs: str, extra: str) -> Iterator[None]:
    """Import what stands on these packages; what else is missing is an error of ours, and stays one.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in packages:
            raise
        raise MissingExtraError(needs, missing, extra) from None
