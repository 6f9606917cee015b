"""Tests of the Ray runtime."""
