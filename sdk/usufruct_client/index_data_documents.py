"""The JSON documents of `/v2` about indices; their members are in upper case.

Weights and returns of holdings are parts (0.1 is ten per cent); changes and returns of an index are per cent, after
costs. What is not known is None. Times are UTC.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StrictBool, StrictStr

from usufruct_client.market_data_documents import AssetRow, Row
from usufruct_client.wire_types import Count, Number

_Known = Number | None
_Text = StrictStr | None


class IndexRow(Row):
    """A row about an index; `id` never changes."""

    id: Count
    name: StrictStr


class ListedIndex(IndexRow):
    """`/indices`: an index on its last day. `slug` is its name in rulebooks and commands.

    `regime` is None where it has none; `stale`: it could not be computed since `date`.
    """

    ticker: StrictStr
    slug: StrictStr
    price: Number
    coins: Count
    day_change: Annotated[_Known, Field(alias="24H")]
    week_change: Annotated[_Known, Field(alias="7D")]
    month_change: Annotated[_Known, Field(alias="1M")]
    all_time: _Known
    day_volume: Annotated[_Known, Field(alias="24H_VOLUME")]
    market_cap: _Known
    index_grade: _Known
    top_gainers_icons: list[StrictStr]
    index_type: Literal["active", "passive"]
    regime: Literal["bullish", "bearish"] | None
    cash: Number
    date: AwareDatetime
    rulebook_hash: StrictStr
    stale: StrictBool


class IndexAssetRow(AssetRow, IndexRow):
    """A row about an asset in an index."""

    coin: StrictStr
    cg_id: StrictStr


class IndexConstituent(IndexAssetRow):
    """`/indices-holdings`: an asset that an index holds at the end of its last day.

    `current_roi`: the change of its price since it came into the index.
    """

    weight: Number
    market_cap: _Known
    price: Number
    current_roi: _Known
    trader_grade: _Known
    trader_grade_change_24h: _Known
    icon: _Text
    date: AwareDatetime


class IndexDay(IndexRow):
    """`/indices-performance`: an index on a day; market cap and volume are those of what it holds."""

    date: AwareDatetime
    index_cumulative_roi: _Known
    price: Number
    market_cap: _Known
    volume: _Known
    fdv: _Known


class IndexTrade(IndexAssetRow):
    """`/indices-transaction`: what a rebalance did to one asset, and why."""

    date: AwareDatetime
    action: Literal["BUY", "SELL", "HOLD"]
    weight_before: Number
    weight: Number
    cause: StrictStr
    reason: StrictStr


class IndexPortfolioPart(IndexAssetRow):
    """`/investor-indices`, `/index-holdings`: an asset after a rebalance; `index_weight` in per cent."""

    portfolio_date: AwareDatetime
    date: AwareDatetime
    weight: Number
    index_weight: Number
    initial_price: Number
