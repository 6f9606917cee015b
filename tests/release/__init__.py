"""What is released, tried without the source tree."""
