"""What partitions learn of their traffic, and what that says."""
