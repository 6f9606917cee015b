"""Tests of ``ray_router.workload``."""
