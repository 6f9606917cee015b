"""``python -m ray_router``: the command line, for where ``ray-router`` is not on the path."""

from ray_router.cli import main

if __name__ == "__main__":
    main()
