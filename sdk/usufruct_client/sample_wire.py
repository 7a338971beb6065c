"""The JSON of free samples: calls of a service without payment, a few a day."""

from pydantic import StrictStr

from usufruct_client.wire_types import Count, Plain, Seconds, Uint128


class SampleTerms(Plain):
    """A free sample: calls of one visitor and of all visitors in a day (UTC), and the most output of one call."""

    calls_per_visitor: Count
    calls_per_day: Count
    output_per_call: Count


class SampleCost(Plain):
    """The cost of a free call: calls that its visitor has left today, when they renew, and the charge of a paid call.

    `paid_charge`: in atomic units; `paid_cost`: the same in whole units.
    """

    calls_per_visitor: Count
    left: Count
    renews_at: Seconds
    paid_charge: Uint128
    paid_cost: StrictStr


class SampleBalance(Plain):
    """`GET /v1/samples?model=`: a free sample, and how many calls its caller has left today (UTC).

    `refusal`: why none are left, as an error code; "" while there are some.
    """

    model: StrictStr
    calls_per_visitor: Count
    calls_per_day: Count
    output_per_call: Count
    left: Count
    renews_at: Seconds
    refusal: StrictStr
