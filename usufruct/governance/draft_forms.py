"""The form of a proposal that is being written: what the browser sends, and the draft that it holds.

The server keeps nothing of a draft. Calls that were added travel in the form as target, calldata and value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from usufruct.chain import Call
from usufruct.core import Invalid, UsufructError, parse_units
from usufruct.governance.call_text import read_argument
from usufruct.governance.draft_calls import read_draft_calls
from usufruct.governance.drafts import Draft
from usufruct.governance.errors import InvalidCall, InvalidProposal
from usufruct.governance.known_contracts import KnownContracts
from usufruct.governance.parameters import Parameter, decimal_text, find_parameter
from usufruct.governance.proposals import check_proposal
from usufruct.governance.words import COIN_DECIMALS
from usufruct.web import read_document
from usufruct_client.draft_documents import MOST_CALLS, DraftCall

FIELDS = ("parameter", "value", "contract", "function", "arguments", "coins", "title", "description")
_OF_CALLS = ("contract", "function", "arguments", "coins")
PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
"""Attributes of a field for addresses, names and code."""

_CALL_FIELD = "call-{}"


@dataclass(frozen=True, slots=True)
class DraftForm:
    """Calls that were added, and what is in the fields."""

    calls: tuple[Call, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> "DraftForm":
        """Return the form that a browser sent; raises `InvalidCall` for calls that the page did not write."""
        numbers = range(1, MOST_CALLS + 1)
        held = [sent[name] for each in numbers if (name := _CALL_FIELD.format(each)) in sent]
        fields = {each: sent.get(each, "").replace("\r\n", "\n").strip() for each in FIELDS}
        return cls(tuple(map(_call_of, held)), fields)

    @property
    def held(self) -> Sequence[tuple[str, str]]:
        """The hidden fields of the calls: names and values."""
        return [(_CALL_FIELD.format(number), _text_of(each)) for number, each in enumerate(self.calls, 1)]

    @property
    def description(self) -> str:
        """Title and text, as a proposal has them."""
        return f"{self.fields['title']}\n\n{self.fields['description']}".strip()

    @property
    def has_new_call(self) -> bool:
        """Whether a change or a call is written that was not added."""
        return any(self.fields[each] for each in ("value", *_OF_CALLS))

    def without(self, number: str) -> "DraftForm":
        """Return the form without one of its calls, by its place from 1 on."""
        return replace(self, calls=tuple(each for place, each in enumerate(self.calls, 1) if str(place) != number))

    def draft(self) -> Draft:
        """Return what is proposed; raises `InvalidProposal` without a call or a title."""
        if not self.fields["title"]:
            raise InvalidProposal("a proposal has no title; write in one line what it does", field="title")
        check_proposal(self.calls, self.description)
        return Draft(self.calls, self.description)

    async def added(self, parameters: Sequence[Parameter], known: KnownContracts) -> "DraftForm":
        """Return the form with the written change or call added, and their fields empty.

        Raises:
            InvalidProposal: with more calls than a draft may have.
            Invalid, Conflict: when it cannot be read; the field says what.
        """
        calls = await self._with_call(known) if any(self.fields[each] for each in _OF_CALLS) else self.calls
        if self.fields["value"] or calls == self.calls:
            calls = self._with_change(calls, find_parameter(parameters, self.fields["parameter"]), known)
        if len(calls) > MOST_CALLS:
            raise InvalidProposal(
                f"a draft has at most {MOST_CALLS} calls, not {len(calls)}; remove one", field="calls"
            )
        return DraftForm(calls, {**self.fields, **dict.fromkeys(("value", *_OF_CALLS), "")})

    def _with_change(self, calls: tuple[Call, ...], parameter: Parameter, known: KnownContracts) -> tuple[Call, ...]:
        """Return calls with one that changes a parameter; one of the same function becomes it, and keeps the rest."""
        value = parameter.read(self.fields["value"], known) if parameter.takes_value else None
        for place, each in enumerate(calls):
            if parameter.sets_with(each):
                changed = parameter.call(value, parameter.function.arguments(each.data))
                return (*calls[:place], changed, *calls[place + 1 :])
        return (*calls, parameter.call(value))

    async def _with_call(self, known: KnownContracts) -> tuple[Call, ...]:
        """Return the calls with the one that is written by contract, function and arguments."""
        contract, function, arguments, coins = (self.fields[each] for each in _OF_CALLS)
        if not contract:
            raise InvalidCall("the call has no contract; write its address or its name here", field="contract")
        try:
            wei = parse_units(decimal_text(coins, "coins"), COIN_DECIMALS, "coins") if coins else 0
        except Invalid as error:
            raise InvalidCall(error.message, field="coins") from error
        if not function:
            if arguments or not wei:
                raise InvalidCall("the call has no function; write one, such as pause(uint32)", field="function")
            return (*self.calls, Call(read_argument("address", contract, known, "contract"), b"", wei))
        text = f"{contract}.{function}({arguments})"
        return (*self.calls, *await read_draft_calls([DraftCall(call=text, value=wei)], known))


_FIELD_OF = {
    "unknown_contract": "contract",
    "invalid_address": "contract",
    "address_mistyped": "contract",
    "wrong_arguments": "arguments",
    "invalid_argument": "arguments",
}
"""Which field of the form a refusal of a call is about, by its code."""


def field_of(error: UsufructError) -> str:
    """Return the field of the form that a refusal is about; of a call that cannot be read, the one that fits best."""
    named = str(error.details.get("field", ""))
    return named if named in FIELDS else _FIELD_OF.get(error.code, "function" if named == "call" else "")


def _call_of(text: str) -> Call:
    parts = dict(zip(("target", "data", "value"), text.split(" "), strict=False))
    found = read_document(DraftCall, parts, lambda message, _: InvalidCall(f"a call of the form: {message}"))
    if found.target is None:
        raise InvalidCall("a call of the form has no target; write the proposal again", field="calls")
    return Call(found.target, found.data, found.value)


def _text_of(call: Call) -> str:
    return f"{call.to} 0x{call.data.hex()} {call.value}"
