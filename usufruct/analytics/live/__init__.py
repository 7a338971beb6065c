"""Live prices: a worker follows exchanges and writes the newest prices to a file; gateways stream them to readers."""

from usufruct.analytics.live.api import live_routes
from usufruct.analytics.live.feed import LivePriceFeed
from usufruct.analytics.live.model import LiveMedian, LiveTable
from usufruct.analytics.live.page_view import LiveView
from usufruct.analytics.live.serving import build_feed, build_live_jobs, check_live

__all__ = [
    "LiveMedian",
    "LivePriceFeed",
    "LiveTable",
    "LiveView",
    "build_feed",
    "build_live_jobs",
    "check_live",
    "live_routes",
]
