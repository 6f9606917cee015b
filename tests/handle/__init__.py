"""Tests of the handle, without Ray."""
