"""Real partitions that are killed while they are used."""
