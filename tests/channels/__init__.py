"""Tests of ``ray_router.channels``."""
