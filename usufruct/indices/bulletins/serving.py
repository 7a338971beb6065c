"""What needs numbers: the routes of a gateway, and the job of a worker. The component loads this where it is used."""

from functools import partial

from usufruct.accounts.notifications import Notifications
from usufruct.analytics import CurrentReader, current_snapshot
from usufruct.config import Config
from usufruct.connectors.news import NewsArchive
from usufruct.core import Clock
from usufruct.core.components import Context
from usufruct.indices.bulletins.job import BulletinJob
from usufruct.indices.bulletins.kept import KeptBulletins
from usufruct.indices.bulletins.pages import bulletin_pages
from usufruct.indices.bulletins.store import BulletinStore
from usufruct.indices.bulletins.text import PACKAGE
from usufruct.indices.publication import index_folder, read_indices
from usufruct.store import Database
from usufruct.web import Route
from usufruct.web.ui import Pages, load_languages


def build_routes(context: Context) -> list[Route]:
    """Return the routes of bulletins."""
    kept = KeptBulletins(BulletinStore(context.get(Database)), context.get(Clock))
    return bulletin_pages(kept, context.get(Pages))


def build_job(context: Context) -> BulletinJob:
    """Return what the worker writes."""
    config = context.get(Config)
    return BulletinJob(
        context.get(Database),
        context.get(Notifications),
        partial(current_snapshot, config),
        CurrentReader(index_folder(config), read_indices, context.get(Clock)).current,
        NewsArchive(config.data.folder / "news"),
        load_languages([PACKAGE]),
    )
