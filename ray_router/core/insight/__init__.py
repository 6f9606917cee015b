"""What a partition learns of its traffic by the way, and what that says about its settings.

``reuse`` samples how sessions come back, ``curve`` reads hit ratios for any TTL and capacity off it,
``loads`` counts by room and slot, ``recent`` by slot what was of late, ``windows`` remembers the last hour,
``advisor`` draws the conclusions.
"""

from ray_router.core.insight.insight import Insight, NoInsight

__all__ = ["Insight", "NoInsight"]
