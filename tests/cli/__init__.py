"""Tests of ``ray_router.cli``."""
