"""Handles, partitions and standbys in one process, under a time of their own."""
