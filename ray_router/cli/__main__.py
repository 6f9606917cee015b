"""``python -m ray_router.cli``, for where the ``ray-router`` command is not on the path."""

from ray_router.cli import main

main()
