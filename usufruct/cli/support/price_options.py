"""The options of a price card: what a million units and a call cost, in whole units of the token."""

from functools import partial
from typing import Annotated

from typer import Option

from usufruct.assets import read_card_change
from usufruct.core.price_cards import PriceUnit

InputPrice = Annotated[str | None, Option("--input", help="Price of a million units of input, as in 0.5.")]
OutputPrice = Annotated[str | None, Option("--output", help="Price of a million units of output.")]
CachedInput = Annotated[
    str | None,
    Option(
        "--cached-input",
        help="What input costs that the server had in its cache, in per cent of the input price; 100 at first.",
    ),
]

PricedIn = Annotated[PriceUnit | None, Option("--unit", help="What input and output are counted in, else text_token.")]


def _option(field: str) -> str:
    """Return how commands name a price; that of a call is `--call` or `--per-call`."""
    return "the price of a call" if field == "per_call" else f"--{field.replace('_', '-')}"


card_change = partial(read_card_change, field=_option)
"""Read a price card's options."""
