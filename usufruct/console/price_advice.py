"""What a million text tokens cost an operator, and a price with a margin. Pure; amounts in atomic units.

Cost per million = cost per hour / text tokens per hour x 1,000,000, where tokens per hour = measured tokens per second
x 3,600 x calls at once x busy part. The margin is a part of the price: price = cost / (1 - margin).
"""

from dataclasses import dataclass

from usufruct.core import divide_down, divide_up
from usufruct.core.price_cards import WHOLE_BPS
from usufruct.gateway import Speed
from usufruct.payments.pricing import Usage
from usufruct_client.sale_documents import Suggestion

_MILLION = 1_000_000
_HOUR_MILLISECONDS = 3_600_000


@dataclass(frozen=True, slots=True)
class Costs:
    """What running a server costs `per_hour`, and how it is used; `busy` and `margin` in per cent.

    `faster_input`: the server reads text tokens so many times faster than it writes them.
    """

    per_hour: int
    parallel: int = 1
    busy: int = 50
    faster_input: int = 4
    margin: int = 30


def tokens_per_hour_down(speed: Speed, costs: Costs) -> int:
    """Return how many text tokens a server writes in an hour; at least 1."""
    tokens = speed.tokens * _HOUR_MILLISECONDS * costs.parallel * costs.busy
    return max(1, divide_down(tokens, speed.duration * 100))


def output_cost_up(speed: Speed, costs: Costs) -> int:
    """Return what a million text tokens of output cost the operator."""
    return divide_up(costs.per_hour * _MILLION, tokens_per_hour_down(speed, costs))


def input_cost_up(speed: Speed, costs: Costs) -> int:
    """Return what a million text tokens of input cost the operator."""
    return divide_up(costs.per_hour * _MILLION, tokens_per_hour_down(speed, costs) * costs.faster_input)


def calls_cost_up(usage: Usage, per_million: tuple[int, int], cached_bps: int) -> int:
    """Return what calls cost the operator, by the cost of a million text tokens in and out.

    Cached input is taken to cost the share of other input that it is charged at: `cached_bps`.
    """
    input_cost, output_cost = per_million
    uncached = usage.input_tokens - usage.cached_input_tokens
    read = uncached * WHOLE_BPS + usage.cached_input_tokens * cached_bps
    return divide_up(read * input_cost + usage.output_tokens * output_cost * WHOLE_BPS, _MILLION * WHOLE_BPS)


def price_up(cost: int, costs: Costs) -> int:
    """Return the price that leaves the margin."""
    return divide_up(cost * 100, 100 - costs.margin)


def margin_bps(price: int, cost: int) -> int | None:
    """Return the part of a price that is not cost, in hundredths of a per cent, below 0 for a loss; None if free."""
    return (price - cost) * 10_000 // price if price else None


def suggest(speed: Speed, costs: Costs, *, reads_only: bool, measured_at: int, costed_at: int) -> Suggestion:
    """Return costs and prices of a million text tokens; `reads_only`: the speed is that of reading, as embeddings'."""
    output = 0 if reads_only else output_cost_up(speed, costs)
    read = output_cost_up(speed, costs) if reads_only else input_cost_up(speed, costs)
    tokens = tokens_per_hour_down(speed, costs)
    return Suggestion(read, output, price_up(read, costs), price_up(output, costs), tokens, measured_at, costed_at)
