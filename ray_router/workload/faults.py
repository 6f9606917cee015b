"""What can be wrong with a log, as errors for whoever named the file.

::

    RouterError
    └── LogError                .path, .problem
        ├── UnreadableLogError  the file as a whole
        └── BadLineError        .line: one line of it, where none may be bad
"""

from ray_router.errors import RouterError


class LogError(RouterError):
    """A log that cannot be read to its end."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class UnreadableLogError(LogError):
    """There is no such file, or it is no log, or it breaks off."""


class BadLineError(LogError):
    """A line that holds no event, in a log that is read strictly.

    Args:
        line: its number, from 1.
    """

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(path, problem)
        self.args = (path, line, problem)  # what it is rebuilt from when it is unpickled
        self.line = line

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.problem}"
