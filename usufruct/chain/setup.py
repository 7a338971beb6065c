"""What an operator puts on a public chain before the first sale, step by step; a step that is done is skipped.

On top of `deploy_all`: the claim key may claim, the fee sink may be paid, what a payee gets a day is capped, the token
counts as revenue.
"""

from dataclasses import dataclass
from secrets import token_hex

from usufruct.chain.binding import Call, Contract, Creation
from usufruct.chain.client import Client
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.deployments import DEPLOYER, ContractDeployer, Deployments, address_of, salt_of
from usufruct.chain.plan import Terms, check_escrow, creations, deploy_all
from usufruct.chain.sender import Sender
from usufruct.core import ZERO_ADDRESS, Address, ChainId, Conflict, Invalid

_SETTING_GAS = 80_000
"""More than any call of the owner takes that writes one setting."""


class AlreadyDeployed(Conflict):
    """The installation stands on this chain with other terms: another deployment would leave its channels behind."""

    code = "already_deployed"


class NoContract(Invalid):
    """No code stands at an address that must be a contract's."""

    code = "no_contract"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is wanted: our contracts under `terms`, `token` as revenue, and `claim_key` allowed to claim.

    `daily_cap`: the most that the till pays one payee in a day, atomic units of `token`; a cap that is set stays.
    """

    terms: Terms
    wrapped_native: Address
    token: Address
    claim_key: Address
    daily_cap: int


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of the owner: what it does, to which address, and the gas it takes; none when it is done."""

    what: str
    at: Address
    gas: int


async def plan_setup(client: Client, found: Deployments, setup: Setup) -> list[Step]:
    """Return every step, done ones too; sends nothing.

    Raises:
        Revert: a constructor's own error, for a fee over the limit, say.
        AlreadyDeployed: when `found` stands elsewhere than these terms would put it.
        EscrowMissing: when the chain has no x402 escrow.
        NoContract: when token or wrapped native coin are none.
    """
    await check_escrow(client, found.chain_id)
    for name, place in (("token", setup.token), ("wrapped native coin", setup.wrapped_native)):
        if not await client.code_at(place):
            raise NoContract(f"{name}: there is no contract at {place} on chain {found.chain_id}", address=place)
    steps: list[Step] = []
    places: dict[type[Contract], Step] = {}
    for contract, creation in creations(setup.terms, setup.wrapped_native):
        _check_same(found, contract, creation)
        there = address_of(contract, creation)
        gas = 0 if await client.code_at(there) else await _creation_gas(client, setup.terms.owner, contract, creation)
        places[contract] = Step(f"deploy {contract.__name__}", there, gas)
        steps.append(places[contract])
    registry, till = AssetRegistry(places[AssetRegistry].at, client), Till(places[Till].at, client)
    new_registry, new_till = bool(places[AssetRegistry].gas), bool(places[Till].gas)
    lists = new_registry or not await registry.is_revenue_token(setup.token)
    allows = new_till or not await till.claim_keys(setup.claim_key)
    pays = new_till or await till.payees(setup.terms.fee_sink) is PayeeKind.NONE
    caps = new_till or not await till.daily_cap(ZERO_ADDRESS, setup.token)
    for what, at, needed in (
        (f"take {setup.token} as revenue", registry.address, lists),
        (f"let claim key {setup.claim_key} claim", till.address, allows),
        (f"list fee sink {setup.terms.fee_sink} as payee", till.address, pays),
        (f"cap what a payee gets a day at {setup.daily_cap} of {setup.token}", till.address, caps),
    ):
        steps.append(Step(what, at, _SETTING_GAS if needed else 0))
    return steps


async def set_up(client: Client, sender: Sender, chain_id: ChainId, setup: Setup) -> Deployments:
    """Take every step that is not done, with the owner's key; may be broken off and taken up again.

    Raises:
        SettlementMismatch, DeployerMissing, WrongCode: when the chain is not one for us.
    """
    deployer = ContractDeployer(client, sender, chain_id)
    deployments = await deploy_all(deployer, client, chain_id, setup.terms, setup.wrapped_native)
    registry = AssetRegistry(deployments.address(AssetRegistry), client)
    if not await registry.is_revenue_token(setup.token):
        key = f"list/{registry.address}/{setup.token}/{token_hex(4)}"
        await sender.execute(registry.list_revenue_token(setup.token), key)
    till = Till(deployments.address(Till), client)
    await open_till(till, sender, setup.claim_key, setup.terms.fee_sink)
    if not await till.daily_cap(ZERO_ADDRESS, setup.token):
        await cap_payees(till, sender, setup.token, setup.daily_cap)
    return deployments


async def open_till(till: Till, sender: Sender, claim_key: Address, fee_sink: Address) -> None:
    """Let a claim key claim, and list the fee sink as payee."""
    await allow_claims(till, sender, claim_key, allowed=True)
    await list_payee(till, sender, fee_sink, PayeeKind.PLAIN)


async def allow_claims(till: Till, sender: Sender, key: Address, *, allowed: bool) -> bool:
    """Let a key claim for the till, or no more; tells whether a transaction was needed."""
    if await till.claim_keys(key) is allowed:
        return False
    await sender.execute(till.set_claim_key(key, allowed=allowed), f"claim-key/{till.address}/{key}/{token_hex(4)}")
    return True


async def list_payee(till: Till, sender: Sender, pay_to: Address, kind: PayeeKind) -> bool:
    """Have the till pay an address, as `kind`, unless it does; tells whether a transaction was needed."""
    if await till.payees(pay_to) is kind:
        return False
    await sender.execute(till.set_payee(pay_to, kind), f"payee/{till.address}/{pay_to}/{token_hex(4)}")
    return True


async def cap_payees(till: Till, sender: Sender, token: Address, cap: int, pay_to: Address = ZERO_ADDRESS) -> bool:
    """Cap what the till pays one payee a day, or each that has no cap of its own; 0 lifts the cap.

    Tells whether a transaction was needed; a payee's own cap is always written, for it may equal that of all.
    """
    if pay_to == ZERO_ADDRESS and await till.daily_cap(pay_to, token) == cap:
        return False
    key = f"cap/{till.address}/{token}/{pay_to}/{token_hex(4)}"
    await sender.execute(till.set_daily_cap(pay_to, token, cap), key)
    return True


def _check_same(found: Deployments, contract: type[Contract], creation: Creation) -> None:
    there, known = address_of(contract, creation), found.contracts.get(contract.__name__)
    if known is not None and known.address != there:
        raise AlreadyDeployed(
            f"{contract.__name__} stands at {known.address} on chain {found.chain_id}; owner, fee sink, fee, wrapped "
            f"native coin or version given now would put another at {there}. Give the same ones as the first time, or "
            "use another data folder",
            contract=contract.__name__,
            found=known.address,
            wanted=there,
        )


async def _creation_gas(client: Client, owner: Address, contract: type[Contract], creation: Creation) -> int:
    await client.create(creation, sender=DEPLOYER)  # the deployer swallows a constructor's error; this does not
    return await client.estimate(Call(DEPLOYER, salt_of(contract) + creation.init_code, creation.value), owner)
