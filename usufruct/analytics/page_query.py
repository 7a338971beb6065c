"""What the address of a page of market data asks for: a page of a list, days of prices, ids to compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from usufruct.analytics.api_query import InvalidParameter
from usufruct.web import Parameter, Request

_MOST_PAGE = 99_999_999
_LONGEST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Reads the query of pages that show `things`, such as assets.

    `ranges`: days that can be chosen, 0 for all, the usual one first. `most`: things that are compared at once.
    """

    PAGE: ClassVar[Parameter] = Parameter(
        "of the list; 1 is the first", {"type": "integer", "minimum": 1, "maximum": _MOST_PAGE}, may_be_empty=True
    )
    """The description of `page`."""

    things: str
    ranges: Sequence[int]
    most: int

    @property
    def range_parameter(self) -> Parameter:
        """The description of `range`."""
        return Parameter("the last days; 0 for all", {"enum": list(self.ranges)}, may_be_empty=True)

    @staticmethod
    def page(request: Request) -> int:
        """Return the page of a list, from 1; raises InvalidParameter."""
        text = request.query_params.get("page", "") or "1"
        if not (text.isascii() and text.isdigit() and len(text) < 9 and 0 < int(text) <= _MOST_PAGE):
            raise InvalidParameter(
                f"`page` is {text[:_LONGEST_SHOWN]!r}; it must be a whole number from 1", field="page"
            )
        return int(text)

    def range(self, request: Request) -> int:
        """Return the last days that are shown, 0 for all; raises InvalidParameter."""
        text = request.query_params.get("range", "") or str(self.ranges[0])
        if text not in map(str, self.ranges):
            known = ", ".join(map(str, self.ranges))
            raise InvalidParameter(f"`range` is {text[:_LONGEST_SHOWN]!r}; it must be one of {known}", field="range")
        return int(text)

    def names(self, request: Request) -> tuple[str, ...]:
        """Return the ids, each once, in their order; a form sends a parameter for each. Raises InvalidParameter."""
        asked = [part.strip() for text in request.query_params.getlist("ids") for part in text.split(",")]
        names = tuple(dict.fromkeys(part for part in asked if part))
        if len(names) > self.most:
            raise InvalidParameter(f"`ids` names {len(names)} {self.things}; compare at most {self.most}", field="ids")
        return names
