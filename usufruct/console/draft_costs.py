"""What answering costs the sellers, by the costs and the measured speed of their drafts."""

from collections.abc import Mapping

from usufruct.console.price_advice import Costs, suggest
from usufruct.console.store import DraftStore
from usufruct.core import Clock, Conflict, parse_units
from usufruct.gateway import Speed
from usufruct_client.sale_documents import CostWish, SaleDraft, Suggestion

CostsPerMillion = tuple[int, int]
"""What a million text tokens in and out cost, in atomic units."""


class DraftCosts:
    """Calculates costs from drafts, and keeps those of all services on sale until a draft of one changes."""

    def __init__(self, drafts: DraftStore, decimals: int, clock: Clock) -> None:
        """Calculate in a token with so many decimals."""
        self._drafts = drafts
        self._decimals = decimals
        self._clock = clock
        self._sold: tuple[int, Mapping[str, CostsPerMillion]] | None = None

    def suggest(self, draft: SaleDraft, wish: CostWish) -> Suggestion:
        """Return what a million text tokens of a draft's server cost, and prices with the margin.

        Raises:
            Conflict: when the server's speed was not measured.
            InvalidAmount: when the cost is not an amount.
        """
        if draft.probe is None or draft.probe.speed is None or draft.server is None:
            raise Conflict(
                "the server's speed is not known: it did not report its text tokens; set a price yourself",
                code="speed_unknown",
                field="per_hour",
            )
        measured = draft.probe.speed
        return suggest(
            Speed(measured.tokens, measured.duration, measured.first_token),
            Costs(
                parse_units(wish.per_hour, self._decimals, "per_hour"),
                wish.parallel,
                wish.busy,
                wish.faster_input,
                wish.margin,
            ),
            reads_only=draft.server.kind == "embeddings",
            measured_at=draft.probe.changed_at,
            costed_at=self._clock.now(),
        )

    async def revision(self) -> int:
        """Return what differs whenever what `of_sold` returns does."""
        return await self._drafts.revision()

    async def of_sold(self) -> Mapping[str, CostsPerMillion]:
        """Return the costs of services on sale by name, where they are known."""
        revision = await self.revision()
        if self._sold is None or self._sold[0] != revision:
            self._sold = revision, await self._read()
        return self._sold[1]

    async def _read(self) -> Mapping[str, CostsPerMillion]:
        found: dict[str, CostsPerMillion] = {}
        for draft in await self._drafts.sold():
            if draft.price and draft.price.costs and draft.probe and draft.probe.speed:
                costs = self.suggest(draft, draft.price.costs)
                found[draft.service] = costs.input_cost, costs.output_cost
        return found
