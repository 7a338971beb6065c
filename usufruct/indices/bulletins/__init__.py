"""Bulletins: the briefing of each day and the guide of each month, written from figures, kept, served and sent."""

from usufruct.indices.bulletins.briefing import write_briefing
from usufruct.indices.bulletins.guide import guide_days, write_guide
from usufruct.indices.bulletins.job import BulletinJob
from usufruct.indices.bulletins.kept import KeptBulletins
from usufruct.indices.bulletins.model import Bulletin, BulletinKind, BulletinPolicy, UnknownBriefing, UnknownGuide
from usufruct.indices.bulletins.news_choice import DayNews, choose_news, read_day_news
from usufruct.indices.bulletins.pages import bulletin_pages
from usufruct.indices.bulletins.store import BulletinStore
from usufruct.indices.bulletins.text import PACKAGE, briefing_sentences, briefing_title

__all__ = [
    "PACKAGE",
    "Bulletin",
    "BulletinJob",
    "BulletinKind",
    "BulletinPolicy",
    "BulletinStore",
    "DayNews",
    "KeptBulletins",
    "UnknownBriefing",
    "UnknownGuide",
    "briefing_sentences",
    "briefing_title",
    "bulletin_pages",
    "choose_news",
    "guide_days",
    "read_day_news",
    "write_briefing",
    "write_guide",
]
