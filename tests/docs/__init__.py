"""The README: what it shows runs, and what it says is so."""
