"""The installation whose pages are measured and photographed, and the readers of its pages."""

from bench.site.installation import Site, site
from bench.site.readers import PAGES, profiles

__all__ = ["PAGES", "Site", "profiles", "site"]
