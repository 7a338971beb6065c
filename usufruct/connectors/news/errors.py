"""What may go wrong with sources of news."""

from usufruct.core import Invalid, Unavailable


class InvalidNews(Invalid, code="invalid_news"):
    """A document that is no feed or table of news, or one that is not safe to read."""


class InvalidNames(Invalid, code="invalid_names"):
    """The table of names cannot be right."""


class NewsUnavailable(Unavailable, code="news_unavailable"):
    """A feed that cannot be fetched."""
