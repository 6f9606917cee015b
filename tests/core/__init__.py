"""Tests of ``ray_router.core``."""
