"""The price card that a gateway quotes, and the rates that a bill's lines are made by."""

from dataclasses import dataclass

from usufruct_client.json_members import Members
from usufruct_client.lines import Rates, rates_of


@dataclass(frozen=True, slots=True)
class PriceCard:
    """Prices in atomic units: per million input and output units, and per call.

    `cached_input_bps`: what input from the server's cache costs, in hundredths of a per cent of the input price.
    """

    version: int
    unit: str
    input_per_million: int
    output_per_million: int
    cached_input_bps: int
    per_call: int

    @property
    def rates(self) -> Rates:
        """Price and per of each unit."""
        return rates_of(
            self.unit, self.input_per_million, self.output_per_million, self.cached_input_bps, self.per_call
        )


def read_price_card(members: Members) -> PriceCard:
    """Read `extra.priceCard` of an offer.

    Raises:
        BadAnswer: when a member is missing or malformed; names it.
    """
    return PriceCard(
        version=members.amount("version", 64),
        unit=members.text("unit"),
        input_per_million=members.amount("inputPerMillion"),
        output_per_million=members.amount("outputPerMillion"),
        cached_input_bps=members.number("cachedInputBps"),
        per_call=members.amount("perCall"),
    )
