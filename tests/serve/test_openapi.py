"""Whatever the OpenAPI document allows, and a good deal more, gets an answer that the document describes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from ray_router.config import RouterConfig
from ray_router.serve import Front, FrontSettings, create_app
from ray_router.testing import local_router

from .platforms import BEARER, INSTANCE, PLATFORMS, front_settings
