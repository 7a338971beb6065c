"""The price card that a gateway quotes, and what it makes of a bill's counts."""

from dataclasses import dataclass

from usufruct_client.members import Members

_MILLION = 1_000_000
_WHOLE_BPS = 10_000


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

    def price_up(self, inputs: int, cached: int, outputs: int) -> int:
        """Return what a call costs, rounded up once; `cached` are among `inputs`."""
        scaled = ((inputs - cached) * _WHOLE_BPS + cached * self.cached_input_bps) * self.input_per_million
        scaled += outputs * _WHOLE_BPS * self.output_per_million
        return -(-scaled // (_MILLION * _WHOLE_BPS)) + self.per_call


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
