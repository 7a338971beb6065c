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
        self._calls: Counter[tuple[str, ...]] = Counter()
        self._tokens: Counter[tuple[str, ...]] = Counter()
        self._charge: Counter[tuple[str, ...]] = Counter()
        self._saved: Counter[tuple[str, ...]] = Counter()
        self._flagged: Counter[tuple[str, ...]] = Counter()
        self._samples: Counter[tuple[str, ...]] = Counter()
        self._borne: Counter[tuple[str, ...]] = Counter({(): 0})
        if registry is not None:
            registry.register(self)

    def metered(self, asset: str, bill: Bill) -> None:
        """Count a charged call."""
        usage = bill.usage
        self._calls["metered", ""] += 1
        self._tokens[asset, "input"] += usage.input_tokens
        self._tokens[asset, "output"] += usage.output_tokens
        self._charge[asset,] += bill.charge
        self._flagged[asset,] += bill.flagged

    def saved(self, asset: str, amount: int) -> None:
        """Count what a payer's staking level took off a call's price."""
        self._saved[asset,] += amount

    def replayed(self) -> None:
        """Count an answer that was given again."""
        self._calls["replayed", ""] += 1

    def refused(self, code: str) -> None:
        """Count a request that was not let in, by the refusal's code."""
        self._calls["refused", code] += 1

    def released(self, reason: str) -> None:
        """Count a call that was let in and not charged."""
        self._calls["released", reason] += 1

    def sampled(self, asset: str, end: str) -> None:
        """Count a free call by how it ended: `answered` or `failed`."""
        self._samples[asset, end] += 1

    def borne(self, calls: int) -> None:
        """Count calls that were released because their gateway died."""
        self._borne[()] += calls

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as a registry of Prometheus asks for them."""
        for name, text, labels, numbers in (
            ("calls", "Calls by how they ended, and why.", ("end", "reason"), self._calls),
            ("text_tokens", "Text tokens that were billed.", ("asset", "direction"), self._tokens),
            ("charge", "Charged for calls.", ("asset",), self._charge),
            ("level_savings", "Taken off prices by the staking levels of payers.", ("asset",), self._saved),
            ("calls_flagged", "Calls whose upstream's usage was overruled.", ("asset",), self._flagged),
            ("samples", "Free calls of visitors by how they ended.", ("asset", "end"), self._samples),
            ("calls_borne", "Calls of gateways that died: charged 0, the operator bears them.", (), self._borne),
        ):
            family = CounterMetricFamily(f"usufruct_{name}", text, labels=labels)
            for values, number in list(numbers.items()):
                family.add_metric(values, number)
            yield family
