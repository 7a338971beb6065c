"""The kit that pages are made of: one look, languages, components, charts, and headers that keep pages safe."""

from usufruct.web.ui.chart_file import chart_file
from usufruct.web.ui.charts import bar_chart, line_chart, outlined, spaced
from usufruct.web.ui.gallery import gallery_routes
from usufruct.web.ui.language import Language, load_languages
from usufruct.web.ui.navigation import ECONOMY, NavigationLink, NavigationMenu
from usufruct.web.ui.page_route import CrossSite, PageRoute, check_own_site
from usufruct.web.ui.pages import Pages
from usufruct.web.ui.refusals import RefusalText
from usufruct.web.ui.site import Site, configured_site
from usufruct.web.ui.static_files import accepts_gzip

__all__ = [
    "ECONOMY",
    "CrossSite",
    "Language",
    "NavigationLink",
    "NavigationMenu",
    "PageRoute",
    "Pages",
    "RefusalText",
    "Site",
    "accepts_gzip",
    "bar_chart",
    "chart_file",
    "check_own_site",
    "configured_site",
    "gallery_routes",
    "line_chart",
    "load_languages",
    "outlined",
    "spaced",
]
