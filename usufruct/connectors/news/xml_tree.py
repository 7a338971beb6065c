"""Parse XML that strangers wrote: no entities of its own, no outside documents, bounded depth and size."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from usufruct.connectors.news.errors import InvalidNews

_MOST_BYTES = 1 << 23
_MOST_ELEMENTS = 200_000
_DEEPEST = 64


def parse_xml(content: bytes) -> Element:
    """Return the root of a document; names are written `{namespace}name`.

    Raises:
        InvalidNews: when it is not well-formed, too large, too deep, or declares entities.
    """
    if len(content) > _MOST_BYTES:
        raise InvalidNews(f"the document has over {_MOST_BYTES} bytes; it is no feed")
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as error:
        raise InvalidNews(f"the document is not well-formed XML ({error}); give the address of a feed") from None
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise InvalidNews(f"the document is not readable as XML ({error}); give the address of a feed") from None
    return reader.builder.close()


class _Reader:
    """Builds a tree of what expat reads; ends at the first thing that a feed has no need of."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.builder.data
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._outside
        self._depth = 0
        self._count = 0

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > _DEEPEST or self._count > _MOST_ELEMENTS:
            raise InvalidNews(
                f"the document is deeper than {_DEEPEST} or has over {_MOST_ELEMENTS} elements; it is no feed"
            )
        self.builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.builder.end(_named(name))

    def _document_type(self, name: str, system: str | None, public: str | None, own: int) -> None:
        if own:
            raise InvalidNews("the document declares types or entities of its own, which is not safe to read")

    def _entity(self, *_: Any) -> None:
        raise InvalidNews("the document declares entities, which is not safe to read")

    def _outside(self, *_: Any) -> int:
        raise InvalidNews("the document refers to another one, which is not safe to read")


def _named(name: str) -> str:
    return "{" + name if "}" in name else name
