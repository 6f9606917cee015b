"""The live page: what it is sent, who is let in, and what a browser makes of it."""
