"""Says each call of a proposal in words: what it sets, from which value to which, whom it pays.

The parts are data, so that a page says them in its reader's language; `sentence` says them in English. A call of an
unknown contract or function is said as such: calldata proves nothing about what a stranger's contract does with it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from usufruct.chain import Call, Client, Revert, TokenFacts, UnreadableAnswer
from usufruct.chain.interface import Function
from usufruct.core import DAY_SECONDS, Address, checksum, divide_down
from usufruct.governance.call_text import value_text
from usufruct.governance.known_contracts import TREASURY, KnownContract, KnownContracts
from usufruct.governance.model import CUT, cut
from usufruct.governance.settings import SETTINGS, Setting, Unit

SCORE_DECIMALS = 18
COIN_DECIMALS = 18
_HOUR, _MINUTE = 3_600, 60
_SHOWN_BYTES = 1_000
_LONGEST_TEXT = 300
_MOST_CARRIED = 50
_DEEPEST = 3
_CARRIERS = frozenset(("PlatformGovernor", "PlatformTimelock"))
"""Contracts of which functions take other calls as arguments, and make them or have them made."""


class CallKind(StrEnum):
    """What a call is, as far as it is known."""

    CHANGE = "change"
    PAYMENT = "payment"
    ALLOWANCE = "allowance"
    COINS = "coins"
    """The chain's own coin is sent, and nothing is called."""
    OTHER = "other"
    """A known function, said by its name and arguments."""
    UNKNOWN_CONTRACT = "unknown_contract"
    NO_CONTRACT = "no_contract"
    """There is no code at the address now: the call does nothing, and succeeds, unless a contract comes there first."""
    UNKNOWN_FUNCTION = "unknown_function"
    UNREADABLE = "unreadable"
    """A known function whose arguments cannot be read. Contracts take more than what is read here: it may succeed."""


UNKNOWN_KINDS = frozenset(
    (CallKind.UNKNOWN_CONTRACT, CallKind.NO_CONTRACT, CallKind.UNKNOWN_FUNCTION, CallKind.UNREADABLE)
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its meaning; `name`: of an account, where it is known; `raw` is None where it could not be read."""

    unit: Unit
    raw: Any
    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a call sets; `of`: whom it is about, as "may lock tokens" is about an account."""

    key: str
    before: Value
    after: Value
    of: str = ""


@dataclass(frozen=True, slots=True)
class CallWords:
    """What one call does. `contract` is empty where it is not known, `function` is its signature or its selector.

    `amount` and `to` are of payments and allowances, of `token`; `payer`: whose money they are. `arguments` are
    names and values of the function, `carried` the calls among them.
    """

    call: Call
    kind: CallKind
    contract: str = ""
    function: str = ""
    changes: tuple[Change, ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()
    token: TokenFacts | None = None
    amount: int = 0
    to: Address | None = None
    to_name: str = ""
    payer: str = TREASURY
    carried: "tuple[CallWords, ...]" = ()

    @property
    def is_unknown(self) -> bool:
        """Whether it is not known what the call, or one that it carries, does."""
        return self.kind in UNKNOWN_KINDS or any(each.is_unknown for each in self.carried)

    @property
    def data(self) -> str:
        """The calldata in hex, cut where it is long."""
        return cut(f"0x{self.call.data.hex()}", 2 + 2 * _SHOWN_BYTES)

    @property
    def is_data_cut(self) -> bool:
        """Whether `data` is not the whole calldata."""
        return len(self.call.data) > _SHOWN_BYTES

    @property
    def is_cut(self) -> bool:
        """Whether the words leave something out, which the calldata has."""
        texts = [value for _, value in self.arguments]
        if self.changes:
            texts = [shown_text(str(each.after.raw)) for each in self.changes if each.after.unit is Unit.TEXT]
        return any(each.endswith(CUT) for each in texts) or any(each.is_cut for each in self.carried)


class Explainer:
    """Says calls in words, with the values that hold now."""

    def __init__(self, client: Client, known: KnownContracts) -> None:
        """Ask `client` for values."""
        self._client = client
        self._known = known

    async def explain(self, calls: Sequence[Call]) -> list[CallWords]:
        """Return the words of calls, in their order; raises `RpcUnavailable`."""
        return await self._explain_all(calls, TREASURY, 0)

    async def _explain_all(self, calls: Sequence[Call], payer: str, depth: int) -> list[CallWords]:
        await self._known.learn(call.to for call in calls)
        return list(await asyncio.gather(*(self._explain(each, payer, depth) for each in calls)))

    async def _explain(self, call: Call, payer: str, depth: int) -> CallWords:
        """Return the words of a call that `payer` makes, inside of `depth` others."""
        contract = self._known.at(call.to)
        if not call.data:
            to_name = self._known.name_of(call.to)
            return CallWords(call, CallKind.COINS, amount=call.value, to=call.to, to_name=to_name, payer=payer)
        if contract is None:
            kind = CallKind.UNKNOWN_CONTRACT if await self._client.code_at(call.to) else CallKind.NO_CONTRACT
            return CallWords(call, kind, function=f"0x{call.data[:4].hex()}")
        function = contract.interface.by_selector.get(call.data[:4])
        if function is None:
            return CallWords(call, CallKind.UNKNOWN_FUNCTION, contract.name, f"0x{call.data[:4].hex()}")
        try:
            values = function.arguments(call.data)
            carried = _carried(contract, function, values)
        except (UnreadableAnswer, ValueError):
            return CallWords(call, CallKind.UNREADABLE, contract.name, function.signature)
        if len(carried) > _MOST_CARRIED or (carried and depth == _DEEPEST):
            return CallWords(call, CallKind.UNREADABLE, contract.name, function.signature)
        words = replace(await self._known_call(call, contract, function, values), payer=payer)
        inner_payer = contract.name if function.name == "relay" else TREASURY
        return replace(words, carried=tuple(await self._explain_all(carried, inner_payer, depth + 1)))

    async def _known_call(
        self, call: Call, contract: KnownContract, function: Function, values: tuple[Any, ...]
    ) -> CallWords:
        if contract.token and function.name in ("transfer", "approve"):
            kind = CallKind.PAYMENT if function.name == "transfer" else CallKind.ALLOWANCE
            to, amount = values
            name = self._known.name_of(to)
            return CallWords(
                call, kind, contract.name, function.signature, token=contract.token, amount=amount, to=to, to_name=name
            )
        settings = SETTINGS.get(contract.name, {}).get(function.signature, ())
        pairs = zip(function.inputs, values, strict=True)
        arguments = tuple(
            (parameter.name or str(place), self._shown(parameter.type, value))
            for place, (parameter, value) in enumerate(pairs, 1)
        )
        changes = [await self._change(contract, each, values) for each in settings]
        kind = CallKind.CHANGE if changes else CallKind.OTHER
        return CallWords(call, kind, contract.name, function.signature, tuple(changes), arguments)

    async def _change(self, contract: KnownContract, setting: Setting, values: tuple[Any, ...]) -> Change:
        keys = [values[place] for place in setting.keys]
        before = await read_setting(self._client, contract, setting, keys)
        if setting.argument is not None:
            after = values[setting.argument]
        else:
            after = self._known.treasury if setting.value is None else setting.value
        shown = [self._account(each) if isinstance(each, str) else f"0x{each.hex()}" for each in reversed(keys)]
        return Change(
            setting.key, self._value(setting.unit, before), self._value(setting.unit, after), ", ".join(shown)
        )

    def _value(self, unit: Unit, raw: Any) -> Value:
        named = self._known.name_of(raw) if unit is Unit.ACCOUNT and raw is not None else ""
        return Value(unit, raw, named)

    def _account(self, account: str) -> str:
        named = self._known.name_of(Address(account))
        return f"{checksum(Address(account))} ({named})" if named else checksum(Address(account))

    def _shown(self, kind: str, value: Any) -> str:
        text = self._account(value) if kind == "address" else value_text(kind, value)
        return shown_text(text)


async def read_setting(client: Client, contract: KnownContract, setting: Setting, keys: Sequence[Any] = ()) -> Any:
    """Return the value of a setting now; None where the contract refuses."""
    (view,) = [each for each in contract.interface.functions if each.signature == setting.view]
    try:
        return view.results(await client.call(view.call(contract.address, keys)))[setting.result]
    except (Revert, UnreadableAnswer):
        return None


def _carried(contract: KnownContract, function: Function, values: tuple[Any, ...]) -> list[Call]:
    """Return the calls that a call has as arguments; raises `ValueError` where its lists have different lengths."""
    types = [each.type for each in function.inputs[:3]]
    if contract.name not in _CARRIERS or function.reads:
        return []
    if types == ["address", "uint256", "bytes"]:
        to, amount, data = values[:3]
        return [Call(to, data, amount)]
    if types == ["address[]", "uint256[]", "bytes[]"]:
        return [Call(to, data, amount) for to, amount, data in zip(*values[:3], strict=True)]
    return []


def shown_text(text: str) -> str:
    """Return a text as it is shown: cut, and marked so, where it is long."""
    return cut(text, _LONGEST_TEXT)


def sentence(words: CallWords) -> str:
    """Say a call in English, in one line; a stranger's texts in it are as they came."""
    told = _sentence(words)
    if words.carried:
        inner = "; ".join(f"{number}) {sentence(each)}" for number, each in enumerate(words.carried, 1))
        warning = "WARNING: it is not known what a call in this one does. " if words.is_unknown else ""
        told = f"{warning}{told}, which carries: {inner}"
    coins = words.call.value if words.kind is not CallKind.COINS else 0
    return f"{told}, and send {grouped(coins, COIN_DECIMALS)} of the chain's coin with it" if coins else told


def _sentence(words: CallWords) -> str:
    to = account_text(words.to, words.to_name) if words.to else ""
    match words.kind:
        case CallKind.CHANGE:
            return f"{words.contract}: {'; '.join(map(_changed, words.changes))}"
        case CallKind.PAYMENT:
            return f"Pay {_amount(words)} from the {words.payer} to {to}"
        case CallKind.ALLOWANCE:
            return f"Let {to} take up to {_amount(words)} from the {words.payer}"
        case CallKind.COINS:
            return f"Pay {grouped(words.amount, COIN_DECIMALS)} of the chain's coin from the {words.payer} to {to}"
        case CallKind.OTHER:
            given = ", ".join(f"{name} {value}" for name, value in words.arguments)
            return f"{words.contract}.{words.function.partition('(')[0]}({given})"
        case CallKind.UNKNOWN_CONTRACT:
            target = checksum(words.call.to)
            return f"WARNING: unknown contract {target}, function {words.function}. What it does is not known here"
        case CallKind.NO_CONTRACT:
            target = checksum(words.call.to)
            return f"WARNING: there is no contract at {target} now. Unless one comes there first, the call does nothing"
        case CallKind.UNKNOWN_FUNCTION:
            told = f"function {words.function} of {words.contract} is not known here"
            return f"WARNING: {told}. What the call does is not known"
        case CallKind.UNREADABLE:
            told = f"the arguments of {words.contract}.{words.function} cannot be read"
            return f"WARNING: {told}. What the call does is not known"


def _changed(change: Change) -> str:
    about = f"{change.key.replace('_', ' ')}{f' ({change.of})' if change.of else ''}"
    return f"{about} {value_words(change.before)} -> {value_words(change.after)}"


def value_words(value: Value) -> str:
    """Write a value in English."""
    raw = value.raw
    if raw is None:
        return "not known"
    match value.unit:
        case Unit.BPS:
            return f"{grouped(raw, 2)} %"
        case Unit.SECONDS:
            count, unit = duration(raw)
            return f"{count} {unit}{'' if count == 1 else 's'}"
        case Unit.SCORE:
            return grouped(raw, SCORE_DECIMALS)
        case Unit.ACCOUNT:
            return account_text(raw, value.name)
        case Unit.FLAG:
            return "yes" if raw else "no"
        case Unit.TEXT:
            return value_text("string", shown_text(raw))


def account_text(account: Address, name: str) -> str:
    """Write an account with what it is called here."""
    return f"{checksum(account)} ({name})" if name else checksum(account)


def duration(seconds: int) -> tuple[int, str]:
    """Return a duration in the largest unit that holds it exactly."""
    for size, unit in ((DAY_SECONDS, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds and seconds % size == 0:
            return seconds // size, unit
    return seconds, "second"


def grouped(amount: int, decimals: int) -> str:
    """Write atomic units exactly, thousands apart: `1,234.5`."""
    whole, _, fraction = f"{Decimal(amount).scaleb(-decimals):f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{int(whole):,}" + (f".{fraction}" if fraction else "")


def whole_hundredths(score: int) -> int:
    """Return a score in hundredths, rounded down: as exact as people read votes."""
    return divide_down(score, 10 ** (SCORE_DECIMALS - 2))


def _amount(words: CallWords) -> str:
    assert words.token is not None
    return f"{grouped(words.amount, words.token.decimals)} {words.token.symbol}"
