"""What `web` adds to an installation: the pages' kit, its static files, and on a local chain the gallery."""

from usufruct.config import Config
from usufruct.core.components import Component, Context
from usufruct.core.networks import is_local
from usufruct.web.router import AnyRoute
from usufruct.web.ui import Pages, configured_site, gallery_routes


def build(context: Context) -> Component:
    """Build the component."""
    config = context.get(Config)
    local = is_local(config.chain.id)

    def routes() -> list[AnyRoute]:
        pages = context.get(Pages)
        return [*pages.static.routes, *(gallery_routes(pages) if local else ())]

    context.provide_later(Pages, lambda: Pages(configured_site(config.site, config.chain.id), gallery=local))
    return Component("web", routes=routes)
