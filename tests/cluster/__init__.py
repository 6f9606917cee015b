"""The files that people deploy: against the schemas of those who read them, and against each other."""
