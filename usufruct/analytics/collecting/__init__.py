"""Prices and news by themselves: which sources the worker asks, when each is due, and what came of it."""

from usufruct.analytics.collecting.jobs import build_source_jobs, check_sources
from usufruct.analytics.collecting.price_fetch import PriceFetch, price_fetches
from usufruct.analytics.collecting.price_sources import SourceOptions, source_of
from usufruct.analytics.collecting.source_list import InvalidSources, SourceList, read_sources

__all__ = [
    "InvalidSources",
    "PriceFetch",
    "SourceList",
    "SourceOptions",
    "build_source_jobs",
    "check_sources",
    "price_fetches",
    "read_sources",
    "source_of",
]
