"""Where the secrets of the front's bots are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file for each secret."""
    from .platforms import write_secrets

    folder = tmp_path_factory.mktemp("secrets")
    write_secrets(folder)
    return folder


@pytest_asyncio.fixture
async def here(secrets: Path) -> AsyncIterator[Any]:
    """A front in this process, with a bot of each platform."""
    from .scene import scene

    async with scene(secrets) as opened:
        yield opened
