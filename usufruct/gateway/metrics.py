"""How calls ended here, as numbers for monitoring; nobody who calls or pays is named."""

from prometheus_client import CollectorRegistry, Counter

from usufruct.payments import Bill


class CallCounters:
    """One gateway's counters. Money is in atomic units of the operator's token."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Show them in `registry`, if there is one."""

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"usufruct_{name}", says, labels, registry=registry)

        self._calls = counter("calls", "Calls by how they ended, and why.", "end", "reason")
        self._tokens = counter("text_tokens", "Text tokens that were billed.", "asset", "direction")
        self._charge = counter("charge", "Charged for calls.", "asset")
        self._flagged = counter("calls_flagged", "Calls whose upstream's usage was overruled.", "asset")
        self._borne = counter("calls_borne", "Calls of gateways that died: charged 0, the operator bears them.")

    def metered(self, asset: str, bill: Bill) -> None:
        """Count a charged call."""
        self._calls.labels("metered", "").inc()
        self._tokens.labels(asset, "input").inc(bill.usage.input_tokens)
        self._tokens.labels(asset, "output").inc(bill.usage.output_tokens)
        self._charge.labels(asset).inc(bill.charge)
        self._flagged.labels(asset).inc(bill.flagged)

    def replayed(self) -> None:
        """Count an answer that was given again."""
        self._calls.labels("replayed", "").inc()

    def refused(self, code: str) -> None:
        """Count a request that was not let in, by the refusal's code."""
        self._calls.labels("refused", code).inc()

    def released(self, reason: str) -> None:
        """Count a call that was let in and not charged."""
        self._calls.labels("released", reason).inc()

    def borne(self, calls: int) -> None:
        """Count calls that were released because their gateway died."""
        self._borne.inc(calls)
