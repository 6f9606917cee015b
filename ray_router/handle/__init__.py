"""The handle: the router as seen from one process, over any transport."""

from ray_router.handle.reply import Reply
from ray_router.handle.router import RouterHandle

__all__ = ["Reply", "RouterHandle"]
