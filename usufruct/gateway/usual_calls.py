"""Prices as people compare them: what a usual call costs."""

from typing import Protocol

from usufruct.core import divide_up

USUAL_INPUT, USUAL_OUTPUT = 1_000, 500
"""Text tokens of a usual call: a page of text in, half a page out; a call for embeddings has no output."""


class Price(Protocol):
    """What a price card of the catalogue and one of a JSON document have in common; atomic units."""

    @property
    def unit(self) -> str:
        """What is counted."""

    @property
    def input_per_million(self) -> int:
        """For a million units of input."""

    @property
    def output_per_million(self) -> int:
        """For a million units of output."""

    @property
    def per_call(self) -> int:
        """For each call."""


def usual_cost_up(price: Price, operation: str) -> int | None:
    """Return what a usual call costs, in atomic units; None when its unit is not the text token."""
    if price.unit != "text_token":
        return None
    output = 0 if operation == "embeddings" else USUAL_OUTPUT
    million = price.input_per_million * USUAL_INPUT + price.output_per_million * output
    return divide_up(million, 1_000_000) + price.per_call
