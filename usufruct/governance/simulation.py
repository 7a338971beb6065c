"""Runs a proposal's calls as the timelock would, on the chain as it is now, and tells what they do; sends nothing.

The node simulates (`eth_simulateV1`): the calls run one after the other as transactions of the timelock, between two
readings of every view of their contracts. The governor takes a call to itself only from its own `execute`, which first
writes the call's hash into a queue; here the hashes are written there for the simulation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from usufruct.chain import Call, Client, Log, Revert, RpcRefused, UnreadableAnswer, keccak, word
from usufruct.chain.contracts.erc20 import Transfer
from usufruct.chain.interface import Function
from usufruct.chain.simulation import SimulatedCall, simulate
from usufruct.core import Address, Hash32, checksum, hash32_from_bytes
from usufruct.governance.call_text import value_text
from usufruct.governance.errors import NotSimulated, WouldFail
from usufruct.governance.known_contracts import KnownContract, KnownContracts
from usufruct.governance.model import cut

_CALLS_SLOT = 5
"""Of the governor's storage: where OpenZeppelin's `_governanceCall` begins; the map of its items is the next one."""

_BALANCE_READER = Address("0x" + keccak(b"usufruct: balance reader")[-20:].hex())
"""Where, in simulations alone, code answers the wei of the account that it is asked about."""
_READS_BALANCE = bytes.fromhex("6000353160005260206000f3")  # calldata word, BALANCE; return it

_CALL_GAS = 21_000
"""Of a transaction of its own, as which each call is simulated; the timelock makes all in one."""

TRANSACTION_GAS_CAP = 1 << 24
"""Most gas of one transaction by EIP-7825, which Ethereum has since 2025 and not every chain has."""

_ANYWAY = "Pass --anyway (`anyway` in JSON) to send it all the same"
_END_BITS = 128
_LONGEST_VALUE = 200
_MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class EventSeen:
    """An event: the contract and its name, or the first topic where they are not known, and its parameters."""

    contract: str
    name: str
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call would do. `refusal`: why it fails, empty when it succeeds."""

    refusal: str
    gas: int
    events: tuple[EventSeen, ...]

    @property
    def succeeds(self) -> bool:
        """Whether the call goes through."""
        return not self.refusal


@dataclass(frozen=True, slots=True)
class ViewChange:
    """What a contract shows otherwise after the calls."""

    contract: str
    view: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Movement:
    """By how much an account's balance of a token changes, atomic units; `name`: what the account is called here."""

    symbol: str
    decimals: int
    account: Address
    name: str
    amount: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the calls would do on top of `block`; `unavailable`: why that is not known, empty when it is."""

    block: int = 0
    outcomes: tuple[Outcome, ...] = ()
    changes: tuple[ViewChange, ...] = ()
    movements: tuple[Movement, ...] = ()
    unavailable: str = ""
    gas_limit: int = 0

    @property
    def gas(self) -> int:
        """What the calls use together, at least."""
        return sum(each.gas for each in self.outcomes) - _CALL_GAS * max(len(self.outcomes) - 1, 0)

    @property
    def fits(self) -> bool:
        """Whether a transaction can use so much gas; `gas_limit` is a block's, 0 where that is not known."""
        return not self.gas_limit or self.gas <= self.gas_limit

    @property
    def is_over_cap(self) -> bool:
        """Whether the calls fit in a block, and not in a transaction of a chain that has EIP-7825."""
        return not self.unavailable and self.fits and self.gas > TRANSACTION_GAS_CAP

    @property
    def reason(self) -> str:
        """Why it was not simulated, or why one transaction cannot make the calls; empty where neither holds."""
        needed = f"the calls need {self.gas:,} gas together, and"
        if self.is_over_cap:
            return f"{needed} a chain with EIP-7825, such as Ethereum, takes {TRANSACTION_GAS_CAP:,} in a transaction"
        if self.unavailable or self.fits:
            return self.unavailable
        return f"{needed} a block has {self.gas_limit:,}"

    @property
    def succeeds(self) -> bool:
        """Whether every call goes through. The timelock makes all of them in one transaction, or none."""
        return not self.unavailable and self.fits and all(each.succeeds for each in self.outcomes)


class Simulator:
    """Simulates calls of one governor's timelock."""

    def __init__(self, client: Client, known: KnownContracts, governor: Address) -> None:
        """Ask `client`, and decode by `known`."""
        self._client = client
        self._known = known
        self._governor = governor

    async def run(self, calls: Sequence[Call]) -> Simulation:
        """Simulate calls on the newest block; raises `RpcUnavailable` when the node does not answer."""
        await self._known.learn(call.to for call in calls)
        head = await self._client.head()
        held = await self._client.balance(self._known.treasury, head.number)
        views, treasury = self._views(calls), self._known.treasury
        reading = [(view.call(contract.address), treasury) for contract, view in views]
        making = [each for call in calls for each in ((_balance_of(treasury), treasury), (call, treasury))]
        lent = max(sum(call.value for call in calls) - held, 0)
        try:
            found = await simulate(
                self._client,
                [*reading, *making, *reading],
                head.number,
                storage=self._expected_by_governor(calls),
                balances={treasury: held + lent},
                codes={_BALANCE_READER: _READS_BALANCE},
            )
        except RpcRefused as refused:
            reason = f"the node does not simulate it: {refused.reason or refused.number}. Set chain.rpc_url to a node "
            return Simulation(unavailable=reason + "that has eth_simulateV1, such as Geth, or anvil as its fork")
        count = len(views)
        before, between, after = found[:count], found[count : count + len(making)], found[count + len(making) :]
        changes = [
            ViewChange(contract.name, view.name, cut(old, _LONGEST_VALUE), cut(new, _LONGEST_VALUE))
            for (contract, view), was, now in zip(views, before, after, strict=True)
            if (old := _shown(view, was)) != (new := _shown(view, now))
        ]
        made = between[1::2]
        logs = [log for each in made if each.succeeded for log in each.logs]
        outcomes = tuple(self._outcomes(calls, made, [_number(each) - lent for each in between[::2]]))
        movements = tuple(self._movements(logs))
        return Simulation(head.number, outcomes, tuple(changes), movements, gas_limit=head.gas_limit)

    def _outcomes(self, calls: Sequence[Call], made: Sequence[SimulatedCall], held: Sequence[int]) -> Iterator[Outcome]:
        """Return what became of each call; `held` is the treasury's wei before each."""
        for call, each, wei in zip(calls, made, held, strict=True):
            refusal = "" if each.succeeded else self._refusal(each.output)
            if call.value and call.value > wei:
                refusal = "the treasury holds less of the chain's coin than this sends"
            events = tuple(map(self._seen, each.logs[:_MOST_EVENTS])) if each.succeeded else ()
            yield Outcome(refusal, each.gas_used, events)

    def _views(self, calls: Sequence[Call]) -> list[tuple[KnownContract, Function]]:
        """Return every view without arguments of the contracts that are called."""
        called = [self._known.at(address) for address in dict.fromkeys(call.to for call in calls)]
        return [
            (contract, view)
            for contract in called
            if contract
            for view in contract.interface.functions
            if view.reads and not view.inputs and view.outputs
        ]

    def _expected_by_governor(self, calls: Sequence[Call]) -> Mapping[Address, Mapping[Hash32, Hash32]]:
        own = [call for call in calls if call.to == self._governor]
        if not own:
            return {}
        words = {hash32_from_bytes(word(_CALLS_SLOT)): hash32_from_bytes(word(len(own) << _END_BITS))}
        for place, call in enumerate(own):
            item = keccak(word(place) + word(_CALLS_SLOT + 1))
            words[hash32_from_bytes(item)] = hash32_from_bytes(keccak(call.data))
        return {self._governor: words}

    def _refusal(self, data: bytes) -> str:
        refusal: Revert = self._client.refusal(data)
        return refusal.message or type(refusal).__name__

    def _seen(self, log: Log) -> EventSeen:
        contract = self._known.at(log.address)
        event = contract.interface.event(log) if contract else None
        if contract is None or event is None:
            raw = ("data", cut(f"0x{log.data.hex()}", _LONGEST_VALUE))
            return EventSeen(self._name(log.address), log.topics[0] if log.topics else "", (raw,))
        pairs = ((each.name, cut(value_text(each.type, value), _LONGEST_VALUE)) for each, value in event.parameters)
        return EventSeen(contract.name, event.name, tuple(pairs))

    def _movements(self, logs: Sequence[Log]) -> list[Movement]:
        """Return what tokens move that the installation trusts, summed up for each account."""
        sums: dict[tuple[Address, Address], int] = {}
        for token in self._known.tokens:
            for each in Transfer.among(logs, token.address):
                for account, amount in ((each.from_, -each.value), (each.to, each.value)):
                    sums[token.address, account] = sums.get((token.address, account), 0) + amount
        facts = {token.address: token for token in self._known.tokens}
        return [
            Movement(facts[token].symbol, facts[token].decimals, account, self._known.name_of(account), amount)
            for (token, account), amount in sums.items()
            if amount
        ]

    def _name(self, address: Address) -> str:
        return self._known.name_of(address) or checksum(address)


def check_simulation(simulation: Simulation) -> None:
    """Check that every call would go through now.

    Raises:
        NotSimulated: when that is not known.
        WouldFail: when a call fails, or all together need too much gas; names the call.
    """
    if simulation.succeeds:
        return
    if simulation.unavailable:
        raise NotSimulated(f"not simulated: {simulation.unavailable}. {_ANYWAY}")
    for number, each in enumerate(simulation.outcomes, 1):
        if not each.succeeds:
            raise WouldFail(f"call {number} would fail now: {each.refusal}. {_ANYWAY}", call=number)
    raise WouldFail(f"{simulation.reason}. Propose fewer calls at once. {_ANYWAY}")


def _shown(view: Function, answer: SimulatedCall) -> str:
    """Return a view's answer as text; empty where it refused."""
    try:
        values: tuple[Any, ...] = view.results(answer.output) if answer.succeeded else ()
    except UnreadableAnswer:
        values = ()
    if not values:
        return ""
    pairs = zip(view.outputs, values, strict=True)
    return ", ".join(value_text(each.type, value) for each, value in pairs)


def _balance_of(account: Address) -> Call:
    return Call(_BALANCE_READER, bytes.fromhex(account[2:]).rjust(32, b"\0"))


def _number(answer: SimulatedCall) -> int:
    return int.from_bytes(answer.output)
