"""Tests that hold on every transport."""
