"""Tests of ``ray_router.model``."""
