"""The JSON documents of live prices, as an answer and as the data of each event of a stream."""

from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from usufruct_client.wire_types import Count, Document, Seconds


class LivePriceFacts(Document):
    """The last live price of an asset in US dollars: its median over `venues`, at `at`, so many seconds ago.

    `stale`: it is too old to be called live, because no venue has sent a newer one.
    """

    asset: StrictStr
    price: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    at: Seconds
    age: Count
    stale: StrictBool
    venues: list[StrictStr]


class LivePriceList(Document):
    """Live prices `now`. From an age of `staleAfter` seconds on, one is stale; `synthetic`: all are simulated.

    `missing` are assets that were asked for and have no live price.
    """

    now: Seconds
    stale_after: Count
    synthetic: StrictBool
    prices: list[LivePriceFacts]
    missing: list[StrictStr]
