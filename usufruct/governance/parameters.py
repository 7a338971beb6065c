"""The parameters of the platform that a proposal can change: those of contracts that the timelock commands.

Each is a setting with its value now and what the contract takes. A new value is written as people write it, by its
unit, and becomes the call that sets it.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from usufruct.chain import Call, Client
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.interface import Function
from usufruct.core import Invalid, parse_units
from usufruct.governance.call_text import DURATION, read_argument, seconds_of
from usufruct.governance.errors import InvalidValue, UnknownParameter, ValueOutOfBounds, ValueUnchanged
from usufruct.governance.known_contracts import KnownContract, KnownContracts
from usufruct.governance.settings import OWNER, PROPOSED_OWNER, SETTINGS, Setting, Unit
from usufruct.governance.words import SCORE_DECIMALS, Value, read_setting, value_words

_OWN = frozenset((PlatformGovernor.__name__, PlatformTimelock.__name__))
"""Contracts that take their settings from the timelock without an owner."""

_PER_CENT_DECIMALS = 2
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
"""Thousands in one language, a fraction in another."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting that a proposal can change. `now` is its value; `arguments` are those of its function that hold now.

    `bounds` are the least and the most that the contract takes, None where it takes any.
    """

    contract: KnownContract
    function: Function
    setting: Setting
    now: Value
    arguments: tuple[Any, ...]
    bounds: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        """Contract and key, as in `VoteEscrow.exit_penalty`."""
        return f"{self.contract.name}.{self.setting.key}"

    @property
    def takes_value(self) -> bool:
        """Whether there is a value to choose; else the call itself says it, as `acceptOwnership()` does."""
        return self.setting.argument is not None

    @property
    def is_worded(self) -> bool:
        """Whether its value is a text or an account, and no number."""
        return self.setting.unit in (Unit.ACCOUNT, Unit.TEXT)

    @property
    def or_zero(self) -> bool:
        """Whether 0 is taken too, beside the bounds."""
        return self.setting.bounds is not None and self.setting.bounds.or_zero

    def sets_with(self, call: Call) -> bool:
        """Tell whether a call is of this parameter's function."""
        return (
            call.to == self.contract.address and call.data[:4] == self.function.call(call.to, self.arguments).data[:4]
        )

    def call(self, value: Any, arguments: Sequence[Any] | None = None) -> Call:
        """Return the call that sets a value; what else its function sets stays as now, or as in `arguments`."""
        given = list(self.arguments if arguments is None else arguments)
        if self.setting.argument is not None:
            given[self.setting.argument] = value
        return self.function.call(self.contract.address, given)

    def read(self, text: str, known: KnownContracts) -> Any:
        """Return the new value that a person wrote.

        Raises:
            InvalidValue: when it is not written as the unit is.
            ValueOutOfBounds: when the contract would refuse it.
            ValueUnchanged: when it holds already.
        """
        typed = text.strip()
        try:
            value = _read(self.setting.unit, typed, known)
        except Invalid as error:
            raise InvalidValue(
                f"the new value of {self.id} is {typed[:80]!r}; write {_WRITTEN[self.setting.unit]}",
                field="value",
                unit=self.setting.unit.value,
            ) from error
        if value == self.now.raw:
            raise ValueUnchanged(f"{self.id} is {value_words(self.now)} already; write another value", field="value")
        if self.bounds and not self._takes(value):
            least, most = (value_words(Value(self.setting.unit, each)) for each in self.bounds)
            raise ValueOutOfBounds(
                f"the new value of {self.id} is {value_words(Value(self.setting.unit, value))}; the contract takes "
                f"{least} to {most}{', or 0' if self.or_zero else ''}",
                field="value",
                least=str(self.bounds[0]),
                most=str(self.bounds[1]),
            )
        return value

    def _takes(self, value: int) -> bool:
        assert self.bounds is not None
        return self.bounds[0] <= value <= self.bounds[1] or (self.or_zero and value == 0)


_WRITTEN: Mapping[Unit, str] = {
    Unit.BPS: "per cent with at most two decimals, such as 12.5",
    Unit.SECONDS: "a whole number with a unit, such as 90m, 12h, 3d or 2w",
    Unit.SCORE: "votes as a decimal number, such as 1500 or 1500.50",
    Unit.ACCOUNT: "an address, the name of a contract, or treasury",
    Unit.FLAG: "true or false",
    Unit.TEXT: "a text",
}


def _read(unit: Unit, text: str, known: KnownContracts) -> Any:
    match unit:
        case Unit.BPS:
            return _decimal(text.removesuffix("%").rstrip(), _PER_CENT_DECIMALS)
        case Unit.SECONDS:
            if (duration := DURATION.fullmatch(text)) is None:
                raise Invalid("no duration")
            return seconds_of(duration)
        case Unit.SCORE:
            return _decimal(text, SCORE_DECIMALS)
        case Unit.ACCOUNT:
            return read_argument("address", text, known, "value")
        case Unit.FLAG:
            return read_argument("bool", text, known, "value")
        case Unit.TEXT:
            return text


def _decimal(text: str, decimals: int) -> int:
    return parse_units(decimal_text(text, "value"), decimals, "value")


def decimal_text(text: str, field: str) -> str:
    """Return "1.5" or "1,5" with a point; raises `InvalidValue` where it could be two numbers."""
    typed = text.strip()
    if _AMBIGUOUS.fullmatch(typed):
        raise InvalidValue(f"{field} is {typed!r}: thousands, or a fraction? Write 1500 or 1.50", field=field)
    return typed.replace(",", ".")


def find_parameter(parameters: Sequence[Parameter], name: str) -> Parameter:
    """Return the parameter of an id; raises `UnknownParameter`."""
    for each in parameters:
        if each.id == name:
            return each
    names = ", ".join(each.id for each in parameters)
    raise UnknownParameter(f"the timelock cannot change {name[:80]!r} now; choose one of: {names}", field="parameter")


async def read_parameters(client: Client, known: KnownContracts, supply: int) -> list[Parameter]:
    """Return what the timelock can change now, accounts and texts last; `supply` is the platform token's.

    Settings about one account or role among many are not here: a call of their function names it.
    """
    contracts = [each for name in SETTINGS if (each := known.find(name))]
    found = await asyncio.gather(*(_of_contract(client, known, each, supply) for each in contracts))
    return sorted((each for parameters in found for each in parameters), key=lambda each: each.is_worded)


async def _of_contract(client: Client, known: KnownContracts, contract: KnownContract, supply: int) -> list[Parameter]:
    functions = {each.signature: each for each in contract.interface.functions}
    if contract.name not in _OWN:
        owner, offered = await asyncio.gather(
            read_setting(client, contract, OWNER), read_setting(client, contract, PROPOSED_OWNER)
        )
        if offered == known.treasury:
            return [Parameter(contract, functions["acceptOwnership()"], OWNER, _named(known, Unit.ACCOUNT, owner), ())]
        if owner != known.treasury:
            return []
    chosen = {
        signature: settings
        for signature, settings in SETTINGS[contract.name].items()
        if not any(each.keys or each.argument is None for each in settings)
    }
    keys = [each for settings in chosen.values() for each in settings]
    read = await asyncio.gather(*(read_setting(client, contract, each) for each in keys))
    values = {each.key: value for each, value in zip(keys, read, strict=True) if value is not None}
    found: list[Parameter] = []
    for signature, settings in chosen.items():
        if any(each.key not in values for each in settings):
            continue
        arguments = tuple(values[each.key] for each in sorted(settings, key=lambda each: each.argument or 0))
        for each in settings:
            now = _named(known, each.unit, values[each.key])
            bounds = each.bounds.of(supply, values) if each.bounds else None
            found.append(Parameter(contract, functions[signature], each, now, arguments, bounds))
    return found


def _named(known: KnownContracts, unit: Unit, raw: Any) -> Value:
    return Value(unit, raw, known.name_of(raw) if unit is Unit.ACCOUNT and raw is not None else "")
