"""A page as a test reads it: text by tag, attributes, and whether everything that is opened is closed."""

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "!doctype", "img", "br", "line", "path", "circle"}


class HtmlPage(HTMLParser):
    """Text by tag, and every attribute; raises when the tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    @property
    def links(self) -> list[str]:
        """Where links lead."""
        return [value for tag, name, value in self.attributes if (tag, name) == ("a", "href")]

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *each) for each in attrs]
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, *each) for each in attrs]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts[self._open[-1]][-1] += data.replace("\N{NO-BREAK SPACE}", " ")
