"""What a user plugs in, by ``module:function``."""

from __future__ import annotations

import importlib
from typing import Any

from ray_router.errors import InvalidConfigError

_MOST_CHARACTERS = 500


def made_by(field: str, plugin: str, *arguments: object) -> Any:
    """What a function makes.

    Args:
        field: the setting that names it.
        plugin: ``"module:function"``.

    Raises:
        InvalidConfigError: there is no such function here, or it raised.
    """
    module, _, function = plugin.partition(":")
    try:
        return getattr(importlib.import_module(module), function)(*arguments)
    except Exception as error:  # foreign code
        problem = f"{plugin!r} failed: {type(error).__name__}: {error}".partition("\n")[0]
        raise InvalidConfigError(field, problem[:_MOST_CHARACTERS]) from error
