"""Indices on a server: computed by the worker into files that gateways map, and served as JSON."""

from usufruct.indices.publication.api import CurrentIndices, index_routes
from usufruct.indices.publication.index_files import index_folder, read_indices, write_indices
from usufruct.indices.publication.index_job import IndexJob
from usufruct.indices.publication.model import IndexTables, PublishedIndex, UnknownIndex, index_number
from usufruct.indices.publication.pages import index_pages
from usufruct.indices.publication.rows import seconds_of

__all__ = [
    "CurrentIndices",
    "IndexJob",
    "IndexTables",
    "PublishedIndex",
    "UnknownIndex",
    "index_folder",
    "index_number",
    "index_pages",
    "index_routes",
    "read_indices",
    "seconds_of",
    "write_indices",
]
