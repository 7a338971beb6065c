"""What a proposal of a trust changes: each value that a call sets, as it is now and as it would be.

The parts are data, so that a page says them in its reader's language; `words_of` says a call in English.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from usufruct.assets import RegistryClient, RevenueToken
from usufruct.chain import Call, Revert, UnreadableAnswer
from usufruct.chain.contracts.asset_registry import AssetRegistry, PriceCard
from usufruct.chain.interface import interface_of
from usufruct.core import Address, AssetId, checksum, format_units
from usufruct.core.price_cards import PriceUnit
from usufruct.governance.trusts.model import shown_text, text_of, words_of


class ValueKind(StrEnum):
    """What a value is."""

    MONEY = "money"
    BPS = "bps"
    UNIT = "unit"
    COUNT = "count"
    TEXT = "text"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class TrustChange:
    """One value that a call sets; `of`: the name of a metadata entry. `before` is None where it cannot be read."""

    key: str
    kind: ValueKind
    before: Any
    after: Any
    of: str = ""


@dataclass(frozen=True, slots=True)
class TrustCall:
    """What one call does. `words` say all of it in English, `changes` what differs from now.

    `is_known` is false for a call whose arguments cannot be read. `refusal`: why it would fail now, empty where it
    would not; None where that was not asked.
    """

    call: Call
    words: str
    is_known: bool
    changes: tuple[TrustChange, ...]
    token: RevenueToken
    refusal: str | None = None

    @property
    def data(self) -> str:
        """The calldata in hex."""
        return f"0x{self.call.data.hex()}"

    def text(self, change: TrustChange, value: Any) -> str:
        """Write a value of a change in English; empty where it is not known."""
        if value is None:
            return ""
        match change.kind:
            case ValueKind.MONEY:
                return f"{self.token.show(value)} {self.token.symbol}"
            case ValueKind.BPS:
                return f"{format_units(value, 2)} %"
            case ValueKind.ACCOUNT:
                return checksum(value)
        return str(value)


class TrustExplainer:
    """Says calls of a trust with the values that hold now."""

    def __init__(self, registry: RegistryClient) -> None:
        """Ask `registry` for values."""
        self._registry = registry

    async def explain(
        self, asset: AssetId, trust: Address, calls: Sequence[Call], *, simulate: bool
    ) -> list[TrustCall]:
        """Return what calls do; `simulate`: also whether each would go through now, made by the trust.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        token = await self._registry.token((await self._registry.asset(asset)).currency)
        found = []
        for call in calls:
            try:
                changes, is_known = tuple(await self._changes(asset, trust, call)), True
            except UnreadableAnswer:
                changes, is_known = (), False
            refusal = await self._refusal(trust, call) if simulate else None
            found.append(TrustCall(call, words_of(call), is_known, changes, token, refusal))
        return found

    async def _changes(self, asset: AssetId, trust: Address, call: Call) -> list[TrustChange]:
        interface, contract = interface_of(AssetRegistry.__name__), self._registry.contract
        function = interface.by_selector.get(call.data[:4]) if interface else None
        if function is None or call.to != contract.address:
            raise UnreadableAnswer("no call of the registry")
        match function.name, function.arguments(call.data):
            case "setPriceCard", (_, card):
                return card_changes(await contract.price_card(asset), card)
            case "setAgentURI", (_, uri):
                before = await read_shown_text(contract.token_uri(asset))
                return [TrustChange("uri", ValueKind.TEXT, before, shown_text(uri))]
            case "setMetadata", (_, key, content):
                before = shown_text(text_of(await contract.get_metadata(asset, key)))
                return [TrustChange("entry", ValueKind.TEXT, before, shown_text(text_of(content)), shown_text(key))]
            case "transferFrom", (_, to, _):
                return [TrustChange("holder", ValueKind.ACCOUNT, trust, to)]
        raise UnreadableAnswer("no call that a trust makes")

    async def _refusal(self, trust: Address, call: Call) -> str:
        try:
            await self._registry.client.call(call, sender=trust)
        except Revert as refused:
            return refused.message or type(refused).__name__
        return ""


def card_changes(before: PriceCard, after: Sequence[Any]) -> list[TrustChange]:
    """Return what differs between the price card in force and one of a call: its values in their order."""
    inputs, outputs, per_call, cached, unit, window, _ = after
    known = list(PriceUnit)
    unit_name = known[unit].plural if unit < len(known) else f"units of kind {unit}"
    pairs = (
        ("input_price", ValueKind.MONEY, before.input_per_million, inputs),
        ("output_price", ValueKind.MONEY, before.output_per_million, outputs),
        ("call_price", ValueKind.MONEY, before.per_call, per_call),
        ("cached_input", ValueKind.BPS, before.cached_input_bps, cached),
        ("unit", ValueKind.UNIT, known[before.unit].plural, unit_name),
        ("context_window", ValueKind.COUNT, before.context_window, window),
    )
    return [TrustChange(key, kind, old, new) for key, kind, old, new in pairs if old != new]


async def read_shown_text(question: Any) -> str | None:
    """Return a view's text as it is shown; None where the contract refuses it, or it is not UTF-8."""
    try:
        return shown_text(await question)
    except (Revert, UnreadableAnswer):
        return None
