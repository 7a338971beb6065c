"""Who holds which role of which contract, as the chain says now, beside the table that is published.

A role is a view that names an account, or that tells of an account whether it may do something. Roles are found by the
contracts' own interfaces, so none is left out; accounts of the second kind were given their role by an event.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from usufruct.assets import Listings
from usufruct.chain import ChainAccess, Revert, UnreadableAnswer, fee_sink_of
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.reinvestor import Reinvestor
from usufruct.chain.contracts.test_market import TestMarket
from usufruct.chain.contracts.test_price_feed import TestPriceFeed
from usufruct.chain.contracts.till import Till
from usufruct.chain.interface import Function, interface_of
from usufruct.chain.keys import Role, claim_address, role_address
from usufruct.config import InvalidSetting
from usufruct.core import ZERO_ADDRESS, Address, Clock, Hash32, hash32_from_bytes
from usufruct.core.address_lists import read_airdrops
from usufruct.governance.governor_logs import NO_ROLE_ID, OWNED_ID, GovernorIndexer
from usufruct.governance.proposal_store import PAYEE_ID, role_candidates

NO_ROLE = frozenset(
    (
        *("IMPLEMENTATION", "REGISTRY", "SHARES_IMPLEMENTATION", "WRAPPED_NATIVE"),  # contracts, fixed at deployment
        *("ESCROW", "PLATFORM_TOKEN", "REVENUE_TOKEN", "TOKEN", "settlement", "token", "x402BatchSettlement"),
        *("LEVELS", "ROOM"),
        *("isRevenueToken", "isShares"),  # lists of contracts
    )
)
"""Views that look like a role and are none."""

NOT_KNOWN = "not known"
"""In place of a holder's name where a contract does not tell who holds a role."""

_OWNED = ("owner key", "timelock"), ("timelock", "none")
"""Owner and next owner, each before the timelock accepts what it is offered, and after."""
_DECIDED = ("AssetRegistry", "DealRoom", "Exchange", "Levels", "PlatformToken", "Reinvestor", "VoteEscrow")

PUBLISHED: Mapping[tuple[str, str], Sequence[str]] = {
    **{(name, "owner"): _OWNED[0] for name in _DECIDED},
    **{(name, "pendingOwner"): _OWNED[1] for name in _DECIDED},
    ("AssetRegistry", "guardian"): ("owner key",),
    ("AssetRegistry", "feeSink"): ("fee splitter",),
    ("DealRoom", "platformFee"): ("fee splitter",),
    ("Exchange", "protocolFee"): ("fee splitter",),
    ("FeeSplitter", "TREASURY"): ("timelock",),
    ("PlatformGovernor", "guardian"): ("guardian",),
    ("PlatformGovernor", "timelock"): ("timelock",),
    ("PlatformTimelock", "appointer"): ("none",),
    ("PlatformTimelock", "PROPOSER_ROLE"): ("governor",),
    ("PlatformTimelock", "CANCELLER_ROLE"): ("governor",),
    ("PlatformTimelock", "EXECUTOR_ROLE"): ("governor",),
    ("PlatformTimelock", "DEFAULT_ADMIN_ROLE"): ("timelock",),
    ("PlatformToken", "tokenBridge"): ("none",),
    ("Reinvestor", "venue.feed"): ("price feed",),
    ("Reinvestor", "venue.router"): ("market",),
    ("Till", "owner"): ("owner key",),
    ("Till", "pendingOwner"): ("none",),
    ("Till", "claimKeys"): ("claim key",),
    ("Till", "payees"): ("fee account",),
    ("VoteEscrow", "lockers"): ("reinvestor",),
}
"""By contract and role: who may hold it, before and after the timelock accepts it where these differ.

`docs/protocol/governance.md` publishes it.
"""
CONFIGURED: Mapping[tuple[str, str], Sequence[str]] = {
    ("Airdrop", "treasury"): ("timelock",),
    ("Till", "payees"): ("shares", "payee"),
    ("VoteEscrow", "lockers"): ("airdrop",),
}
"""By contract and role: who may hold it besides, by what the operator configured and sells."""


@dataclass(frozen=True, slots=True)
class Power:
    """A role of a contract and its holder; `name`: what the table calls the holder, empty where it does not name it.

    Where the contract does not tell, the name is `NOT_KNOWN` and the holder the zero address.
    """

    contract: str
    address: Address
    role: str
    holder: Address
    name: str
    published: bool


class Powers:
    """Reads every role of every contract of an installation."""

    def __init__(self, chain: ChainAccess, indexer: GovernorIndexer) -> None:
        """Find accounts by the logs that `indexer` reads."""
        self._chain = chain
        self._indexer = indexer

    async def all(self) -> list[Power]:
        """Return the roles in the order of contracts and of their interfaces.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        await self._indexer.poll()
        names = await self._names()
        places = self._chain.deployments.contracts
        found = await asyncio.gather(*(self._of(name, places[name].address, names) for name in sorted(places)))
        return [each for powers in (*found, await self._airdrops(names)) for each in powers]

    async def _airdrops(self, names: Mapping[str, set[Address]]) -> list[Power]:
        """Return who gets the rest of each airdrop that the configuration names."""
        view = _view(Airdrop.__name__, "treasury")
        places = sorted(names["airdrop"])
        held = await asyncio.gather(*(self._ask(place, view, ()) for place in places))
        name = Airdrop.__name__
        return [_power(name, place, "treasury", to, names) for place, to in zip(places, held, strict=True)]

    async def _of(self, contract: str, place: Address, names: Mapping[str, set[Address]]) -> list[Power]:
        interface = interface_of(contract)
        views = [each for each in interface.functions if each.reads and each.name not in NO_ROLE] if interface else []
        held = {view.name: await self._holders(place, view) for view in views}
        held |= await self._more(contract, place)
        offered = held.get("pendingOwner") == names.get("timelock") and held.get("owner", set()) <= names["owner key"]
        async with self._chain.database.snapshot() as unit:
            had = names.get("timelock", set()).intersection(await role_candidates(unit, place, OWNED_ID))
        return [
            _power(contract, place, role, holder, names, offered=offered and not had)
            for role, holders in held.items()
            for holder in sorted(holders, key=str)
        ]

    async def _more(self, contract: str, place: Address) -> dict[str, set[Address | None]]:
        """Return the holders of roles that a contract tells of in other ways: its market, and whom it pays."""
        if contract == Reinvestor.__name__:
            venue = await self._ask(place, _view(Reinvestor.__name__, "venue"), ())
            router, feed = (None, None) if venue is None else venue[:2]
            return {"venue.router": {router}, "venue.feed": {feed}}
        if contract == Till.__name__:
            return {"payees": await self._among(place, _view(Till.__name__, "payees"), PAYEE_ID, ()) - {ZERO_ADDRESS}}
        return {}

    async def _holders(self, place: Address, view: Function) -> set[Address | None]:
        """Return who holds the role that a view tells of; no one for a view that tells of no role.

        Where that cannot be read, the set holds None.
        """
        takes = [each.type for each in view.inputs]
        if not takes and view.outputs[:1] and view.outputs[0].type == "address":
            return {await self._ask(place, view, ())}
        if takes == ["address"] and [each.type for each in view.outputs] == ["bool"]:
            return await self._among(place, view, NO_ROLE_ID, ())
        if view.name.endswith("_ROLE") and not takes:
            role: bytes | None = await self._ask(place, view, ())
            if role is None:
                return {None}
            return await self._among(
                place, _view(PlatformTimelock.__name__, "hasRole"), hash32_from_bytes(role), (role,)
            )
        return set()

    async def _among(self, place: Address, view: Function, role: Hash32, keys: Sequence[bytes]) -> set[Address | None]:
        async with self._chain.database.snapshot() as unit:
            candidates = await role_candidates(unit, place, role)
        held = await asyncio.gather(*(self._ask(place, view, (*keys, each)) for each in candidates))
        if None in held:
            return {None}
        return {each for each, holds in zip(candidates, held, strict=True) if holds} or {ZERO_ADDRESS}

    async def _ask(self, place: Address, view: Function, values: Sequence[object]) -> Any:
        """Return what a view answers; None where it refuses, or its answer cannot be read."""
        try:
            return view.results(await self._chain.client.call(view.call(place, values)))[0]
        except (Revert, UnreadableAnswer):
            return None

    async def _names(self) -> dict[str, set[Address]]:
        """Return who is meant by the names of the published table.

        The owner key is the one that the registry was deployed for, and the one in this machine's keystore.
        """
        config, deployments = self._chain.config, self._chain.deployments
        async with self._chain.database.snapshot() as unit:
            first = await role_candidates(unit, deployments.address(AssetRegistry), NO_ROLE_ID)
        own = role_address(Role.OWNER, config)
        names: dict[str, set[Address]] = {
            "none": {ZERO_ADDRESS},
            "owner key": {*first, *((own,) if own else ())},
            "guardian": {Address(config.governance.guardian.lower()) or ZERO_ADDRESS},
            "airdrop": {Address(each) for each in read_airdrops(config.platform_token.airdrops).values() if each},
            "reinvestor": {ZERO_ADDRESS},  # none where there is none, or it is not listed yet
            "market": {Address(config.platform_token.reinvest_router.lower()) or ZERO_ADDRESS},
            "price feed": {Address(config.platform_token.reinvest_feed.lower()) or ZERO_ADDRESS},
            "payee": {*await Listings(self._chain.database, Clock()).payees()},
            "shares": await self._shares(),
        }
        for name, contract in (
            ("fee splitter", FeeSplitter),
            ("governor", PlatformGovernor),
            ("market", TestMarket),
            ("price feed", TestPriceFeed),
            ("reinvestor", Reinvestor),
            ("timelock", PlatformTimelock),
        ):
            if contract.__name__ in deployments.contracts:
                names.setdefault(name, set()).add(deployments.address(contract))
        with suppress(InvalidSetting):
            names["claim key"] = {claim_address(config)}
        with suppress(InvalidSetting):
            names["fee account"] = {fee_sink_of(config)}
        return names

    async def _shares(self) -> set[Address]:
        """Return which of the till's payees are shares of services."""
        deployments = self._chain.deployments
        async with self._chain.database.snapshot() as unit:
            payees = await role_candidates(unit, deployments.address(Till), PAYEE_ID)
        registry = AssetRegistry(deployments.address(AssetRegistry), self._chain.client)
        found = await asyncio.gather(*map(registry.is_shares, payees))
        return {each for each, is_shares in zip(payees, found, strict=True) if is_shares}


def _view(contract: str, name: str) -> Function:
    interface = interface_of(contract)
    assert interface is not None
    return interface.named(name)[0]


def _power(
    contract: str,
    place: Address,
    role: str,
    holder: Address | None,
    names: Mapping[str, set[Address]],
    *,
    offered: bool = False,
) -> Power:
    """Return a role and its holder; `offered`: the timelock may accept the contract, and never had it before."""
    if holder is None:
        return Power(contract, place, role, ZERO_ADDRESS, NOT_KNOWN, published=False)
    allowed = PUBLISHED.get((contract, role), ())
    if len(allowed) > 1:
        allowed = allowed[:1] if offered else allowed[1:]
    allowed = (*allowed, *CONFIGURED.get((contract, role), ()))
    name = next((each for each in allowed if holder in names.get(each, ())), "")
    called = name or next((each for each, accounts in names.items() if holder in accounts), "")
    called = "none" if holder == ZERO_ADDRESS else called
    return Power(contract, place, role, holder, called, bool(name))
