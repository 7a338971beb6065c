"""The bill of a free call: a charge of 0, the calls that are left, and what a paid call costs."""

from collections.abc import Mapping
from typing import Any

from usufruct.core import value
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.samples.service import TakenSample
from usufruct.gateway.signed_receipt import counted_members
from usufruct.payments.pricing import Measured
from usufruct.web import Header


def sample_headers(taken: TakenSample) -> list[Header]:
    """Return the headers of every answer to a counted call, streams and failures too."""
    return [(b"x-usufruct-sample-left", b"%d" % taken.left)]


@value
class SampleBill:
    """The bill of a free call: always 0. `paid_charge`: what a paid call would have been charged, in atomic units."""

    call: str
    time: int
    measured: Measured
    paid_charge: int
    taken: TakenSample
    operator: Operator

    def usage(self, reported: Mapping[str, Any] | None = None) -> dict[str, object]:
        """Return the answer's `usage`: the upstream's members, our counts, a `cost` of 0, and `sample`."""
        measured, taken, operator = self.measured, self.taken, self.operator
        return {
            **counted_members(measured.usage, reported),
            "cost": 0.0,
            "cost_details": {
                "charge": "0",
                "cost": operator.shown(0),
                "ceiling": "0",
                "token": operator.token,
                "decimals": operator.decimals,
                "flagged": measured.flagged,
                "counted_by": measured.counted_by.value,
                "reasoning_tokens": measured.reasoning_tokens,
            },
            "sample": {
                "calls_per_visitor": taken.terms.calls_per_visitor,
                "left": taken.left,
                "renews_at": taken.renews_at,
                "paid_charge": str(self.paid_charge),
                "paid_cost": operator.shown(self.paid_charge),
            },
        }

    def headers(self) -> list[Header]:
        """Return the headers of a whole answer about its cost."""
        counted = self.measured.usage
        return [
            (b"x-usufruct-charge", b"0"),
            (b"x-usufruct-cost", self.operator.shown(0).encode()),
            (b"x-usufruct-input-tokens", b"%d" % counted.input_tokens),
            (b"x-usufruct-cached-input-tokens", b"%d" % counted.cached_input_tokens),
            (b"x-usufruct-output-tokens", b"%d" % counted.output_tokens),
            *sample_headers(self.taken),
        ]

    def members(self) -> dict[str, object]:
        """Return nothing: a free call has no receipt."""
        return {}
