"""How contracts are put on a chain: steps that components contribute, each skipped when it is done.

On public chains the owner is shown the plan first. On devnets, what a public chain has already comes before it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from usufruct.chain.client import Client
from usufruct.chain.contract_base import Contract, Creation
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.erc3009_deposit_collector import ERC3009DepositCollector
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployment.address_book import (
    DEPLOYER,
    Deployed,
    Deployments,
    NotDeployed,
    address_of,
    deployment_of,
)
from usufruct.chain.entry_point import ENTRY_POINT, find_artifact, place_entry_point
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT, check_settlement
from usufruct.chain.hashing import keccak
from usufruct.chain.sender import Sender
from usufruct.config import DataConfig
from usufruct.core import Address, Conflict, Invalid, Unavailable, checksum, hash32_from_bytes
from usufruct.core.components import DeployStep

_SETTING_GAS = 80_000
"""More than any call of the owner takes that writes one setting."""

_CREATION_GAS, _BYTE_GAS = 500_000, 240
"""More than a creation takes: for the transaction and its constructor; for each byte of code, sent and stored."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What an operator decides before deploying.

    `owner` sets fee, sink, guardian and revenue tokens (meant to be a timelock) and owns the till; `guardian` may pause
    for 14 days in total; `fee_sink` is the operator's fee account, `fee_bps` the protocol fee in 1/100 %, at most 1000.
    `treasury` gets what no other account does: the DAO's timelock, or the fee account without a DAO.
    `token` counts as revenue; `claim_key` may claim.
    """

    owner: Address
    guardian: Address
    fee_sink: Address
    fee_bps: int
    wrapped_native: Address
    token: Address
    claim_key: Address
    treasury: Address
    contract_uri: str = ""


class DeploySite:
    """Where an installation is deployed, and as what; components make their steps with it."""

    def __init__(self, client: Client, sender: Sender, found: Deployments, setup: Setup) -> None:
        """Send with `sender`, the owner's; `found` is what is known to stand on the chain."""
        self.client = client
        self.sender = sender
        self.setup = setup
        self.chain_id = found.chain_id
        self._found = found
        self._done: dict[str, Deployed] = {}
        self._planned: dict[type[Contract], Address] = {}

    @property
    def deployments(self) -> Deployments:
        """Return what stands on the chain, as far as it was deployed or found here."""
        return Deployments(self.chain_id, dict(self._done))

    async def check(self) -> None:
        """Check what must be on a public chain before.

        Raises:
            Conflict, Faulty: when the chain has no x402 escrow, or another.
            Invalid: when token or wrapped native coin are none.
        """
        await check_settlement(self.client, self.chain_id)
        for name, place in (("token", self.setup.token), ("wrapped native coin", self.setup.wrapped_native)):
            if not await self.client.code_at(place):
                raise Invalid(
                    f"{name}: {place} is not a contract on chain {self.chain_id}", code="no_contract", address=place
                )

    def creation(self, contract: type[Contract], creation: Creation, needs: Address | None = None) -> DeployStep:
        """Return the step that creates a contract; its constructor may call `needs`, which an earlier step creates.

        Its gas raises a constructor's own `Revert`, for a fee over the limit, say; and a `Conflict` when the
        contract is known to stand elsewhere than it would be put. It is an upper bound while `needs` has no code.
        """
        there = self._planned[contract] = address_of(contract, creation)

        async def gas() -> int:
            self._check_same(contract, there)
            if await self.client.code_at(there):
                return 0
            if needs and not await self.client.code_at(needs):
                return _CREATION_GAS + _BYTE_GAS * len(creation.init_code)
            await self.client.create(creation, sender=DEPLOYER)
            return await self.client.estimate(deployment_of(contract, creation), self.setup.owner)

        return DeployStep(f"deploy {contract.__name__}", there, gas, lambda: self.deploy(contract, creation))

    def standing(self, contract: type[Contract], *choices: Creation) -> Creation:
        """Return which of these creations is known to be on the chain; the first where none is."""
        known = self._found.contracts.get(contract.__name__)
        there = known.address if known else None
        return next((each for each in choices if address_of(contract, each) == there), choices[0])

    def planned(self, contract: type[Contract]) -> Address:
        """Return where a step of an earlier component puts a contract.

        Raises:
            NotDeployed: when no step does.
        """
        if contract not in self._planned:
            raise NotDeployed(f"no step before this one deploys {contract.__name__}", contract=contract.__name__)
        return self._planned[contract]

    def plans(self, contract: type[Contract]) -> bool:
        """Tell whether a step of an earlier component deploys a contract."""
        return contract in self._planned

    async def deploy(self, contract: type[Contract], creation: Creation) -> None:
        """Deploy a contract, unless its address has code, and record it.

        Raises:
            Unavailable: when the chain lacks the deterministic deployer.
            Revert: the constructor's own error.
            Conflict: when the code there is not the contract's.
        """
        there = address_of(contract, creation)
        key = f"deploy/{contract.__name__}/{there}"
        if not await self.client.code_at(there):
            if not await self.client.code_at(DEPLOYER):
                message = (
                    f"chain {self.chain_id} has no deterministic deployer at {checksum(DEPLOYER)}; send its published "
                    "transaction first (github.com/Arachnid/deterministic-deployment-proxy)"
                )
                raise Unavailable(message, code="deployer_missing", chain_id=self.chain_id)
            await self.client.create(creation, sender=DEPLOYER)  # which raises what the deployer would swallow
            await self.sender.execute(deployment_of(contract, creation), key)
        made = await self.sender.find(key)
        await self.adopt(contract, there, made.block if made and made.block else 0)

    async def adopt(self, contract: type[Contract], there: Address, block: int = 0) -> None:
        """Check and record a contract that is at an address already, since `block` if that is known.

        Raises:
            Conflict: when it is another contract, or none.
        """
        code = await self.client.code_at(there)
        if not contract.ARTIFACT.is_runtime(code):
            what = f"{len(code)} bytes of other code" if code else "no code"
            raise Conflict(
                f"{contract.__name__} should be at {there}, which has {what}", code="wrong_code", address=there
            )
        self._done[contract.__name__] = Deployed(
            there, contract.ARTIFACT.version, hash32_from_bytes(keccak(code)), block
        )

    def setting(
        self,
        what: str,
        at: Address,
        done: Callable[[], Awaitable[bool]],
        send: Callable[[], Awaitable[object]],
        most_gas: int = _SETTING_GAS,
    ) -> DeployStep:
        """Return the step that writes one setting of a contract at `at`, which need not be there yet."""

        async def gas() -> int:
            return 0 if await self.client.code_at(at) and await done() else most_gas

        async def take() -> None:
            if not await done():
                await send()

        return DeployStep(what, at, gas, take)

    def _check_same(self, contract: type[Contract], there: Address) -> None:
        known = self._found.contracts.get(contract.__name__)
        if known is not None and known.address != there:
            raise Conflict(
                f"{contract.__name__} is at {known.address} on chain {self.chain_id}; owner, fee account, fee, "
                f"wrapped native coin or version given now would put another at {there}. Give the same ones as the "
                "first time, or use another data folder",
                code="already_deployed",
                contract=contract.__name__,
                found=known.address,
                wanted=there,
            )


def public_contracts(site: DeploySite) -> list[DeployStep]:
    """Return the steps that put on a local chain what a public one has: x402's escrow, wrapped coin, a dollar.

    The EntryPoint is among them where its artifact was fetched.
    """
    return [
        _placed(site, BatchSettlement, BatchSettlement.deploy(), SETTLEMENT),
        _placed(site, ERC3009DepositCollector, ERC3009DepositCollector.deploy(SETTLEMENT), COLLECTOR),
        site.creation(WrappedNative, WrappedNative.deploy()),
        site.creation(TestDollar, TestDollar.deploy()),
        _entry_point(site),
    ]


def _placed(site: DeploySite, contract: type[Contract], creation: Creation, place: Address) -> DeployStep:
    """Return the step that deploys a contract and copies its code, immutables and all, to the address x402 gives it."""

    async def take() -> None:
        await site.deploy(contract, creation)
        code = await site.client.code_at(address_of(contract, creation))
        if await site.client.code_at(place) != code:
            await site.client.ask("anvil_setCode", place, "0x" + code.hex())
        await site.adopt(contract, place)

    return replace(site.creation(contract, creation), take=take)


def _entry_point(site: DeploySite) -> DeployStep:
    """Return the step that constructs the EntryPoint; the owner sends nothing for it."""

    async def gas() -> int:
        return 0

    async def take() -> None:
        artifact = find_artifact(DataConfig().folder)
        if artifact and not await site.client.code_at(ENTRY_POINT):
            await place_entry_point(site.client, await asyncio.to_thread(artifact.read_bytes))

    return DeployStep("construct EntryPoint", ENTRY_POINT, gas, take)
