"""The pure core: what a partition holds and decides. No Ray, no clock, no thread, no configuration file.

Read it in this order: ``slots`` (which partition), ``candidates`` (what is known, and how it merges),
``standing`` (how it ranks), ``resolver`` (the ladder), ``table`` (what is kept), ``partition`` (all of it).
"""
