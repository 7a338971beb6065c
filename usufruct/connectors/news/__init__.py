"""News of assets: from RSS and Atom feeds and tables, with the assets they name, archived with what was known when."""

from usufruct.connectors.news.archive import AddedNews, NewsArchive
from usufruct.connectors.news.errors import InvalidNames, InvalidNews, NewsUnavailable
from usufruct.connectors.news.feeds import ReadNews, read_feed, read_table
from usufruct.connectors.news.fetch import Feed, FetchedFeed, fetch_feeds
from usufruct.connectors.news.model import NewsItem, safe_link
from usufruct.connectors.news.names import AssetName, AssetNames, read_names
from usufruct.connectors.news.synthetic import synthetic_items

__all__ = [
    "AddedNews",
    "AssetName",
    "AssetNames",
    "Feed",
    "FetchedFeed",
    "InvalidNames",
    "InvalidNews",
    "NewsArchive",
    "NewsItem",
    "NewsUnavailable",
    "ReadNews",
    "fetch_feeds",
    "read_feed",
    "read_names",
    "read_table",
    "safe_link",
    "synthetic_items",
]
