"""Tests of what is for testing."""
