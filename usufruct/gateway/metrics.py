"""How calls ended here, as numbers for monitoring; no caller or payer is named."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily

from usufruct.payments.ledger import Bill


class CallCounters:
    """One gateway's counters. Money is in atomic units of the operator's token.

    Plain numbers of the event loop's thread, made into metrics when they are scraped: every call adds to five of them.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Show them in `registry`, if there is one."""
        self._ended: Counter[tuple[str, str]] = Counter()
        self._metered: dict[str, _OfAsset] = {}
        self._borne = 0
        if registry is not None:
            registry.register(self)

    def metered(self, asset: str, bill: Bill) -> None:
        """Count a charged call."""
        found = self._metered.get(asset)
        if found is None:
            found = self._metered[asset] = _OfAsset()
        found.calls += 1
        found.inputs += bill.usage.input_tokens
        found.outputs += bill.usage.output_tokens
        found.charge += bill.charge
        found.flagged += bill.flagged

    def replayed(self) -> None:
        """Count an answer that was given again."""
        self._ended["replayed", ""] += 1

    def refused(self, code: str) -> None:
        """Count a request that was not let in, by the refusal's code."""
        self._ended["refused", code] += 1

    def released(self, reason: str) -> None:
        """Count a call that was let in and not charged."""
        self._ended["released", reason] += 1

    def borne(self, calls: int) -> None:
        """Count calls that were released because their gateway died."""
        self._borne += calls

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as a registry of Prometheus asks for them."""
        assets = list(self._metered.items())
        calls = CounterMetricFamily("usufruct_calls", "Calls by how they ended, and why.", labels=["end", "reason"])
        tokens = CounterMetricFamily(
            "usufruct_text_tokens", "Text tokens that were billed.", labels=["asset", "direction"]
        )
        charge = CounterMetricFamily("usufruct_charge", "Charged for calls.", labels=["asset"])
        flagged = CounterMetricFamily(
            "usufruct_calls_flagged", "Calls whose upstream's usage was overruled.", labels=["asset"]
        )
        if assets:
            calls.add_metric(["metered", ""], sum(each.calls for _, each in assets))
        for labels, number in self._ended.items():
            calls.add_metric(labels, number)
        for name, each in assets:
            tokens.add_metric([name, "input"], each.inputs)
            tokens.add_metric([name, "output"], each.outputs)
            charge.add_metric([name], each.charge)
            flagged.add_metric([name], each.flagged)
        yield from (calls, tokens, charge, flagged)
        yield CounterMetricFamily(
            "usufruct_calls_borne", "Calls of gateways that died: charged 0, the operator bears them.", self._borne
        )


class _OfAsset:
    """What was billed for one asset."""

    __slots__ = ("calls", "charge", "flagged", "inputs", "outputs")

    def __init__(self) -> None:
        self.calls = self.charge = self.flagged = self.inputs = self.outputs = 0
