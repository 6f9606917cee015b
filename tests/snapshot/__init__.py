"""Snapshots in folders: taken, restored, damaged, and refused."""
