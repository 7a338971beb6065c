"""Price cards as they travel: what a service costs, and what it costs payers of a staking level."""

from usufruct_client.bill_lines import Rates, discounted_up, rates_of
from usufruct_client.wire_types import Count, Document, Text, Uint64, Uint128


class PriceCard(Document):
    """Prices in atomic units: per million input and output units, and per call.

    `cached_input_bps`: what cached input costs, in hundredths of a per cent of the input price.
    """

    version: Uint64
    unit: Text
    input_per_million: Uint128
    output_per_million: Uint128
    cached_input_bps: Count
    per_call: Uint128

    @property
    def rates(self) -> Rates:
        """Price and per of each unit."""
        return rates_of(
            self.unit, self.input_per_million, self.output_per_million, self.cached_input_bps, self.per_call
        )

    def discounted_up(self, discount_bps: int) -> "PriceCard":
        """Return the card for a payer whose level takes so much off its prices, in hundredths of a per cent."""
        prices = (self.input_per_million, self.output_per_million, self.per_call)
        inputs, outputs, per_call = (discounted_up(price, discount_bps) for price in prices)
        return PriceCard(self.version, self.unit, inputs, outputs, self.cached_input_bps, per_call)
