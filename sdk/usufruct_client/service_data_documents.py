"""The JSON documents of `/v2` about the services of an installation; their members are in upper case.

Revenue is in whole units of `token`, the payment token. Parts are 0 to 1. What is not known is None. Times are UTC.
"""

from typing import Annotated

from pydantic import AwareDatetime, Field, StrictStr

from usufruct_client.market_data_documents import Row
from usufruct_client.wire_types import Count, Number

_Part = Annotated[Number, Field(ge=0, le=1)] | None


class ServiceRow(Row):
    """A row about a service; `asset` never changes."""

    service: StrictStr
    asset: StrictStr
    token: StrictStr


class ServiceFigures(ServiceRow):
    """`/services`: a service on sale, over 7 and 30 days, today included.

    `shares`: the contract whose holders get the revenue, None for a plain payee, and so are the figures of holders.
    `success`: the part of calls that was answered, None for fewer than 20. `concentration`: the sum of the holders'
    squared parts (Herfindahl and Hirschman).
    """

    operation: StrictStr
    shares: StrictStr | None
    on_sale_since: AwareDatetime
    holders: Count | None
    largest_holder: _Part
    ten_largest_holders: _Part
    concentration: _Part
    calls_7d: Count
    input_tokens_7d: Count
    output_tokens_7d: Count
    revenue_7d: Number
    success_7d: _Part
    calls_30d: Count
    input_tokens_30d: Count
    output_tokens_30d: Count
    revenue_30d: Number
    success_30d: _Part


class ServiceDay(ServiceRow):
    """`/services-history`: a whole day of a service that had calls."""

    date: AwareDatetime
    calls: Count
    input_tokens: Count
    output_tokens: Count
    revenue: Number
