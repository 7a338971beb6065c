"""Bulletins: the briefing of each day and the guide of each month, written from figures, kept, served and sent.

What is exported is loaded when it is first used: the table belongs to every installation, and numpy is an extra.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usufruct.indices.bulletins.briefing import write_briefing
    from usufruct.indices.bulletins.guide import guide_days, write_guide
    from usufruct.indices.bulletins.job import BulletinJob
    from usufruct.indices.bulletins.kept import KeptBulletins
    from usufruct.indices.bulletins.model import BulletinKind
    from usufruct.indices.bulletins.news_choice import DayNews, choose_news, read_day_news
    from usufruct.indices.bulletins.pages import bulletin_pages
    from usufruct.indices.bulletins.store import BulletinStore
    from usufruct.indices.bulletins.text import PACKAGE, briefing_sentences

__all__ = [
    "PACKAGE",
    "BulletinJob",
    "BulletinKind",
    "BulletinStore",
    "DayNews",
    "KeptBulletins",
    "briefing_sentences",
    "bulletin_pages",
    "choose_news",
    "guide_days",
    "read_day_news",
    "write_briefing",
    "write_guide",
]

_MODULES = {
    "briefing": ("write_briefing",),
    "guide": ("guide_days", "write_guide"),
    "job": ("BulletinJob",),
    "kept": ("KeptBulletins",),
    "model": ("BulletinKind",),
    "news_choice": ("DayNews", "choose_news", "read_day_news"),
    "pages": ("bulletin_pages",),
    "store": ("BulletinStore",),
    "text": ("PACKAGE", "briefing_sentences"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load what is exported."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
