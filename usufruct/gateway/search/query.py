"""What is asked of a search: words, filters, an order and a page, read from a form's fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from usufruct.core import Invalid
from usufruct.gateway.search.words import LONGEST_QUERY
from usufruct.web import Parameter

PAGE_SIZE = 24
_MOST = 10**9
_MOST_SUCCESS = 1_000
_MOST_SAMPLE = 1


class InvalidSearch(Invalid, code="invalid_search"):
    """A filter has a value that it cannot have."""


class Order(StrEnum):
    """What comes first: most calls in 30 days, the lowest price, the quickest, the fastest, the newest."""

    USED = "used"
    CHEAPEST = "cheapest"
    QUICKEST = "quickest"
    FASTEST = "fastest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Search:
    """One search; what is empty or 0 does not matter.

    `calls`: least number of usual calls for one coin. `sample`: 1 for only those with a free sample. `success`: least
    number of answered calls of 1,000. `first_text`: milliseconds to the first text, median. Both are measured
    over 30 days, and leave out what is not measured.
    """

    text: str = ""
    kind: str = ""
    operation: str = ""
    context: int = 0
    calls: int = 0
    success: int = 0
    first_text: int = 0
    order: Order = Order.USED
    page: int = 1
    sample: int = 0

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Search":
        """Read a form's fields.

        Raises:
            InvalidSearch: names the field.
        """
        order = fields.get("sort", "") or Order.USED
        if order not in set(Order):
            raise InvalidSearch(f"sort must be one of {', '.join(Order)}, not {order[:80]!r}", field="sort")
        return cls(
            "".join(filter(str.isprintable, fields.get("q", "")[:LONGEST_QUERY])).strip(),
            fields.get("kind", "")[:LONGEST_QUERY],
            fields.get("operation", "")[:LONGEST_QUERY],
            _number(fields, "context"),
            _number(fields, "calls"),
            _number(fields, "success", _MOST_SUCCESS),
            _number(fields, "first_text"),
            Order(order),
            max(1, _number(fields, "page")),
            _number(fields, "sample", _MOST_SAMPLE),
        )

    @property
    def filtered(self) -> bool:
        """Whether a filter besides the words is set."""
        numbers = (self.context, self.calls, self.sample, self.success, self.first_text)
        return bool(self.kind or self.operation or any(numbers))

    def path(self, page: int) -> str:
        """Return the address of a page of the same search."""
        fields = {
            "q": self.text,
            "kind": self.kind,
            "operation": self.operation,
            "context": self.context,
            "calls": self.calls,
            "sample": self.sample,
            "success": self.success,
            "first_text": self.first_text,
            "sort": "" if self.order is Order.USED else self.order,
            "page": page if page > 1 else 0,
        }
        return "/?" + urlencode({name: value for name, value in fields.items() if value})


def _whole(text: str, most: int = _MOST) -> Parameter:
    return Parameter(text, {"type": "integer", "minimum": 0, "maximum": most}, may_be_empty=True)


SEARCH_PARAMETERS: Final[Mapping[str, str | Parameter]] = {
    "q": "words, each of which begins a word of the service's name, kind, operation or address",
    "kind": "the service's kind",
    "operation": "what the service does, such as chat",
    "context": _whole("tokens of a request and its answer, at least"),
    "calls": _whole("usual calls for one coin, at least"),
    "success": _whole("answered of 1,000 calls, at least", _MOST_SUCCESS),
    "first_text": _whole("ms to the first text, median, at most"),
    "sort": Parameter("what comes first", {"enum": [str(order) for order in Order]}, may_be_empty=True),
    "page": _whole("0 and 1 are the first"),
    "sample": _whole("1: only with a free sample", _MOST_SAMPLE),
}
"""The fields of a search, as the OpenAPI document describes them."""


def _number(fields: Mapping[str, str], name: str, most: int = _MOST) -> int:
    text = fields.get(name, "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= most):
        raise InvalidSearch(f"{name} must be a whole number from 0 to {most}, not {text[:80]!r}", field=name)
    return int(text)
