"""Price cards: what a listing costs, in atomic units of the payment token."""

from enum import StrEnum

from usufruct.core.value_classes import value

__all__ = ["MOST_LEVEL_DISCOUNT_BPS", "WHOLE_BPS", "PriceCard", "PriceUnit"]

WHOLE_BPS = 10_000
"""All of a price, in hundredths of a per cent."""

MOST_LEVEL_DISCOUNT_BPS = 5_000
"""Most that a staking level takes off a price: what the contract lets a level bring, and a seller give, at most."""


class PriceUnit(StrEnum):
    """What the quantities of a call are counted in; named as in the registry's `PriceUnit`."""

    TEXT_TOKEN = "text_token"
    SECOND = "second"
    BYTE = "byte"
    IMAGE = "image"
    ROW = "row"
    STEP = "step"

    @property
    def plural(self) -> str:
        """Several of them, in words."""
        return self.value.replace("_", " ") + "s"


@value
class PriceCard:
    """What a service costs: per million input and output units and per call, in atomic units of the payment token.

    `context_window` is the most units of input and output together; `version` numbers the asset's cards.
    `cached_input_bps` is what an input unit read from the upstream's cache costs, in hundredths of a per cent of the
    input price. Quantities are counted in `unit`.
    """

    input_per_million: int
    output_per_million: int
    per_call: int
    context_window: int
    version: int
    cached_input_bps: int = WHOLE_BPS
    unit: PriceUnit = PriceUnit.TEXT_TOKEN

    def as_json(self) -> dict[str, object]:
        """Return what a charge is made by, as a quote carries it; amounts as text."""
        return {
            "version": str(self.version),
            "unit": self.unit.value,
            "inputPerMillion": str(self.input_per_million),
            "outputPerMillion": str(self.output_per_million),
            "cachedInputBps": self.cached_input_bps,
            "perCall": str(self.per_call),
        }
