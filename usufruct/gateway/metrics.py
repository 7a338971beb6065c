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
        self._assets: dict[str, tuple[Counter, Counter, Counter, Counter, Counter]] = {}
        self._borne = counter("calls_borne", "Calls of gateways that died: charged 0, the operator bears them.")

    def metered(self, asset: str, bill: Bill) -> None:
        """Count a charged call."""
        calls, inputs, outputs, charge, flagged = self._of_asset(asset)
        calls.inc()
        inputs.inc(bill.usage.input_tokens)
        outputs.inc(bill.usage.output_tokens)
        charge.inc(bill.charge)
        if bill.flagged:
            flagged.inc()

    def _of_asset(self, asset: str) -> tuple[Counter, Counter, Counter, Counter, Counter]:
        """Return an asset's counters: looked up by label for every call they would cost as much as the counting."""
        found = self._assets.get(asset)
        if found is None:
            found = self._assets[asset] = (
                self._calls.labels("metered", ""),
                self._tokens.labels(asset, "input"),
                self._tokens.labels(asset, "output"),
                self._charge.labels(asset),
                self._flagged.labels(asset),
            )
        return found

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
